package simulate

import (
	"fmt"
	"slices"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/simulate/timeline"
)

// strike does what a fault does at its begin, and returns what is done at its
// end.
func (f *faults) strike(e *episode) func() {
	switch e.Fault.Fault {
	case scenario.TokenExpired:
		return func() { f.worker.reportRefresh(true, e) }
	case scenario.TokenRevoked:
		return func() { f.worker.reportRefresh(true, e) }
	case scenario.PicklistGone, scenario.PicklistAdded, scenario.FieldRenamed, scenario.FieldDeleted, scenario.FieldRetyped:
		return f.schema(e)
	case scenario.APIAllocation, scenario.StoppedWorker:
		return f.worker.wake
	case scenario.LeftList:
		return f.leaveList(e)
	case scenario.MergeIgnored, scenario.DeleteIgnored:
		f.repeat(e, func(int) { f.forsake(e) })
	case scenario.RetryStorm:
		return f.storm(e)
	case scenario.BulkImport:
		f.people.importRecords(e.id, f.object(e.Object), e.Count, time.Duration(float64(time.Second)/max(e.Rate, 0.01)), e)
	case scenario.AgentLoop, scenario.AgentOneValue:
		f.runaway(e)
	case scenario.MappingChange:
		return func() { f.again(e) }
	case scenario.TokenTheft:
		f.repeat(e, func(n int) { f.steal(e, n) })
	}
	return nil
}

// repeat does something at the fault's rate while it lasts.
func (f *faults) repeat(e *episode, do func(n int)) {
	n := 0
	every := time.Duration(float64(time.Second) / max(e.Rate, 0.001))
	var again func()
	again = func() {
		if !e.on {
			return
		}
		do(n)
		n++
		f.After(every, again)
	}
	f.After(every, again)
}

func (f *faults) object(name string) *object {
	for _, o := range f.objects {
		if o.Name == name {
			return o
		}
	}
	return f.objects[0]
}

// schema changes a field of the target under the sync's feet. In the end
// somebody puts it right, and the worker takes up what was refused.
func (f *faults) schema(e *episode) func() {
	o := f.object(e.Object)
	j := o.field(e.Field)
	if j < 0 {
		return nil
	}
	m := &o.Fields[j]
	col := o.target.Field(m.Target)
	before := *col
	switch e.Fault.Fault {
	case scenario.PicklistGone:
		gone := e.Value
		if gone == "" && len(col.Options) > 0 {
			gone = col.Options[0]
		}
		col.Options = slices.DeleteFunc(slices.Clone(col.Options), func(v string) bool { return v == gone })
	case scenario.PicklistAdded: // people begin to use what only the source has
		f.newOption = e
	case scenario.FieldRenamed:
		col.Name = renamed(m.Target)
	case scenario.FieldDeleted:
		col.Name = "-" // values stay where nobody finds them
	case scenario.FieldRetyped:
		col.Number, col.Type, col.Options = true, "number", nil
	}
	return func() {
		*col = before
		if f.newOption == e {
			f.newOption = nil
			col.Options = append(slices.Clone(col.Options), badOptions[m.Source])
		}
		f.again(e)
	}
}

// again has the worker write the field of a fault that is over, in every
// record that it hurt, and in those whose write it refused.
func (f *faults) again(e *episode) {
	o := f.object(e.Object)
	j := o.field(e.Field)
	if j < 0 {
		return
	}
	victims := e.victims()
	for _, r := range victims {
		if !r.deleted {
			f.worker.resume(r, r.refused|1<<j)
		}
	}
	for _, r := range o.pairs {
		if r.refused&(1<<j) != 0 && !slices.Contains(victims, r) {
			f.worker.resume(r, r.refused)
		}
	}
}

func renamed(name string) string { return name + "_v2__c" }

// leaveList takes a share of the records off the inclusion list.
func (f *faults) leaveList(e *episode) func() {
	for _, o := range f.objects {
		for _, r := range o.pairs {
			if f.dice.Chance(e.Share) {
				r.outside = e
			}
		}
	}
	return func() {
		for _, o := range f.objects {
			for _, r := range o.pairs {
				if r.outside == e {
					r.outside = nil
					if e.hurt[r] {
						f.worker.touched(r, r.o.every)
					}
				}
			}
		}
	}
}

// forsake deletes or merges a record in the source behind the worker's back.
func (f *faults) forsake(e *episode) {
	o := f.objects[0]
	r := timeline.Pick(f.dice, o.pairs)
	if len(o.pairs) < 20 || f.copyOf(r) == nil {
		return
	}
	a := person(f.dice.Between(1, 6))
	f.forget(r)
	r.o.source.Delete(r.row, a.sourceID, max(f.Now(), r.row.Modified+1))
	r.deleted, r.forsaken = true, true
	if e.Fault.Fault == scenario.MergeIgnored {
		f.hooks.merged(r, timeline.Pick(f.dice, o.pairs), a)
	} else {
		f.hooks.deleted(r, a)
	}
	f.harm(e, r)
	for len(r.open) > 0 { // what is not there has no fields
		f.gap(r, r.open[0].field, r.open[0].kind, false, reason{}, "", "")
	}
	f.gap(r, -1, event.MissingInSource, true, reason{fault: e}, "", "")
}

// storm is a poison record that the worker cannot let go.
func (f *faults) storm(e *episode) func() {
	o := f.objects[0]
	r := timeline.Pick(f.dice, o.pairs)
	e.Object, e.Field = o.Name, "lifecyclestage"
	j := o.field(e.Field)
	if j < 0 || f.copyOf(r) == nil {
		return nil
	}
	r.poison = true
	f.people.save(r, 1<<j, map[string]string{e.Field: badOptions[e.Field]}, person(1))
	f.repeat(e, func(int) { f.worker.stormTry(r, j) })
	return func() {
		r.poison = false
		f.people.save(r, 1<<j, map[string]string{e.Field: options(&o.Fields[j])[0]}, person(1))
	}
}

// runaway is an agent that does too much.
func (f *faults) runaway(e *episode) {
	a := byMachine(event.ActorAgent, "BREEZE_AGENT", e.id)
	if e.Fault.Fault == scenario.AgentLoop {
		o := f.objects[0]
		var few []*pair
		for range max(e.Count, 1) {
			few = append(few, timeline.Pick(f.dice, o.pairs))
		}
		j := o.field("city")
		f.repeat(e, func(n int) {
			r := few[n%len(few)]
			f.harm(e, r)
			f.people.save(r, 1<<max(j, 0), map[string]string{o.Fields[max(j, 0)].Source: fmt.Sprintf("Loop %d", n)}, a)
		})
		return
	}
	o := f.object(e.Object)
	j := o.field(e.Field)
	all := slices.Clone(o.pairs)
	f.repeat(e, func(n int) {
		if n >= len(all) || j < 0 || all[n].deleted || all[n].row.Values[e.Field] == e.Value {
			return
		}
		f.harm(e, all[n])
		if badOptions[e.Field] == e.Value {
			all[n].brought = e
		}
		f.people.save(all[n], 1<<j, map[string]string{e.Field: e.Value}, a)
	})
}

// steal is a call with a stolen token: what shows is that the org counts calls
// that nobody reports.
func (f *faults) steal(e *episode, n int) {
	if n >= e.Count {
		return
	}
	if e.first == 0 {
		e.first = f.Now()
		f.note(f.line(truth.Incident, e))
	}
	f.usage++
	if f.spend != nil {
		f.spend(1)
	}
}

// second makes another record of the same person, as a broken dedup rule does.
func (f *faults) second(e *episode, r *pair, values map[string]string) *crm.Row {
	row := r.o.target.Insert(values, "", f.syncUser(), f.targetNow())
	fields := map[string]any{}
	for _, name := range r.o.target.Held(row) {
		fields[name] = row.Values[name]
	}
	f.echoes.tell(r.o, row.ID, event.OpCreate, event.Actor{Kind: event.ActorIntegration, ID: f.syncUser()}, fields, "")
	f.note(truth.Line{
		Kind: truth.Write, ID: "write-" + itoa(f.next()), System: f.in.Target.System, Object: r.o.Name, SourceID: r.row.ID,
		TargetID: row.ID, Operation: event.OpCreate, Fields: r.o.target.Held(row), Cause: e.Fault.Fault, Fault: e.id,
		Actor: event.ActorIntegration + "/" + f.syncUser(),
	})
	l := f.divergence(r, e)
	l.Kind, l.Type, l.TargetID = truth.Divergence, event.Duplicate, row.ID
	l.ID = event.DivergenceID(f.in.ID, r.o.Name, r.row.ID, "", event.Duplicate)
	if !r.doubled {
		r.doubled = true
		f.note(l)
	}
	f.harm(e, r)
	return row
}

// spoil is what a silent fault makes of a write that the target took. It
// returns the values really stored, the fault, and whether anything is stored.
func (f *faults) spoil(s *sent, row *crm.Row) (map[string]string, *episode, bool) {
	if e := f.hits(scenario.AckAndDrop); e != nil {
		return nil, e, false
	}
	for _, kind := range []string{
		scenario.Coerced, scenario.PicklistFall, scenario.Shifted, scenario.Blanked, scenario.Partial, scenario.OwnerLost,
	} {
		e := f.hits(kind)
		if e == nil {
			continue
		}
		if values, ok := f.bend(kind, s, row); ok {
			return values, e, true
		}
	}
	return s.values, nil, true
}
