package simulate

import (
	"fmt"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/simulate/timeline"
)

// author is who saves, as HubSpot tells it and as Plumbline should read it.
type author struct {
	source, sourceID string
	actor            event.Actor
}

func person(n int) author {
	id := fmt.Sprintf("5143%04d", n)
	return author{"CRM_UI", "userId:" + id, event.Actor{Kind: event.ActorUser, ID: id}}
}

func byMachine(kind, source, id string) author {
	return author{source, id, event.Actor{Kind: kind, ID: id}}
}

// people change records: persons, forms, automations, an agent, imports, and
// persons who edit the copies in Salesforce.
type people struct {
	*world
	dice    *timeline.Dice
	authors []author
	weights []float64
	run     int // of the agent
	left    int // writes of the agent's run
}

func newPeople(w *world) *people {
	p := &people{world: w, dice: w.diceOf("people")}
	agent := w.o.Profile.Agent
	for n := range 6 {
		p.add(0.09*(1-agent), person(n+1))
	}
	p.add(0.08*(1-agent), byMachine(event.ActorUser, "FORM", "b3f0c2d1-demo-form"))
	p.add(0.20*(1-agent), byMachine(event.ActorAutomation, "AUTOMATION_PLATFORM", "workflow-58210"))
	p.add(0.10*(1-agent), byMachine(event.ActorIntegration, "INTEGRATION", "2104412"))
	p.add(agent*0.92, byMachine(event.ActorAgent, "BREEZE_AGENT", ""))
	return p
}

func (p *people) add(weight float64, a author) {
	p.weights, p.authors = append(p.weights, weight), append(p.authors, a)
}

// start plans the first save and the first import.
func (p *people) start() {
	p.After(p.dice.Wait(p.every()), p.arrive)
	if p.o.Profile.Import > 0 {
		p.After(p.dice.Wait(p.o.Profile.Import), p.bulk)
	}
}

// every is the mean time between saves that no import makes.
func (p *people) every() time.Duration {
	rate := p.o.Rate
	if p.o.Profile.Import > 0 {
		rate -= min(importMean/p.o.Profile.Import.Seconds(), rate/2)
	}
	return time.Duration(float64(time.Second) / rate)
}

func (p *people) arrive() {
	p.After(p.dice.Wait(p.every()), p.arrive)
	if p.dice.Chance(p.o.Profile.TargetEdit) {
		p.editCopy()
		return
	}
	a := p.author()
	o := p.objects[min(p.dice.Weigh([]float64{60, 15, 25}), len(p.objects)-1)]
	switch {
	case p.dice.Chance(creates(a)) || len(o.pairs) < 10:
		p.create(o, a, nil)
	case a.actor.Kind == event.ActorUser && p.dice.Chance(0.006):
		p.remove(timeline.Pick(p.dice, o.pairs), a)
	default:
		p.edit(timeline.Pick(p.dice, o.pairs), a)
	}
}

func creates(a author) float64 {
	if a.source == "FORM" {
		return 0.7
	}
	return 0.08
}

func (p *people) author() author {
	a := p.authors[p.dice.Weigh(p.weights)]
	if a.actor.Kind == event.ActorAgent { // works in runs, each with an id of its own
		if p.left--; p.left < 0 {
			p.run, p.left = p.run+1, p.dice.Between(10, 60)
		}
		a = byMachine(event.ActorAgent, a.source, fmt.Sprintf("agent-enrichment-run-%d", p.run))
	}
	return a
}

// importMean is how many records an import brings.
const importMean = 40.0

// bulk imports new records over a few seconds.
func (p *people) bulk() {
	p.After(p.dice.Wait(p.o.Profile.Import), p.bulk)
	id := fmt.Sprintf("import-%d", p.next())
	o := p.objects[p.dice.N(min(2, len(p.objects)))]
	n := min(p.dice.Between(10, 70), max(int(p.o.Rate*30), 1)) // a slow world imports little
	const each = 120 * time.Millisecond
	p.note(truth.Line{Kind: truth.Fault, ID: id, Cause: scenario.BulkImport, Object: o.Name})
	p.After(time.Duration(n)*each, func() {
		p.note(truth.Line{Kind: truth.FaultEnd, ID: id, Cause: scenario.BulkImport, Object: o.Name})
	})
	p.importRecords(id, o, n, each, nil)
}

// importRecords imports n new records, one after the other, and says so. A
// fault's share of them brings an option that the target lacks.
func (p *people) importRecords(id string, o *object, n int, each time.Duration, e *episode) {
	a := byMachine(event.ActorImport, "IMPORT", id)
	for i := range n {
		p.After(time.Duration(i)*each, func() {
			if e != nil && e.Share > 0 && p.dice.Chance(e.Share) {
				p.create(o, a, e)
			} else {
				p.create(o, a, nil)
			}
		})
	}
	p.out.own("signals", signal{
		ID: id, Integration: p.in.ID, Kind: event.SignalBulkImport, System: p.in.Source.System,
		Object: o.Name, StartedAt: p.Now(), Summary: fmt.Sprintf("import of %d records", n), Actor: a.actor,
	})
}

func (p *people) create(o *object, a author, e *episode) {
	r := p.newPair(p.dice, p.o.Profile, o)
	if e != nil {
		r.unfit(e)
	}
	known := p.dice.Chance(p.o.Profile.Duplicate) || p.faults.hits(scenario.DuplicateRule) != nil
	if o.Name == "contact" && known {
		p.echoes.typeIn(r) // a colleague has typed the person into Salesforce already
	}
	r.row.Modified = p.Now()
	p.hooks.created(r, a)
	p.worker.touched(r, o.every)
}

// unfit gives a new record an option that the target lacks, where it has a
// field for one.
func (r *pair) unfit(e *episode) {
	for j := range r.o.Fields {
		if bad, ok := badOptions[r.o.Fields[j].Source]; ok {
			r.row.Values[r.o.Fields[j].Source], r.brought = bad, e
		}
	}
}

// edit saves one to three fields of a record.
func (p *people) edit(r *pair, a author) {
	var mask uint32
	values := map[string]string{}
	for range p.dice.Between(1, 3) {
		j := p.dice.N(len(r.o.Fields))
		f := &r.o.Fields[j]
		v := draw(p.dice, p.o.Profile, r.o.Name, f, r.n, p.Now())
		if e := p.newOption; e != nil && e.Object == r.o.Name && e.Field == f.Source && p.dice.Chance(0.5) {
			v = badOptions[f.Source]
		}
		if mask&(1<<j) == 0 && v != r.row.Values[f.Source] {
			mask |= 1 << j
			values[f.Source] = v
		}
	}
	p.save(r, mask, values, a)
}

func (p *people) save(r *pair, mask uint32, values map[string]string, a author) {
	if mask == 0 {
		return
	}
	at := max(p.Now(), r.row.Modified+1) // two saves of a record have two instants
	r.o.source.Update(r.row, values, a.sourceID, at)
	p.hooks.updated(r, mask, a)
	p.worker.touched(r, mask)
}

func (p *people) remove(r *pair, a author) {
	p.forget(r)
	r.o.source.Delete(r.row, a.sourceID, max(p.Now(), r.row.Modified+1))
	p.hooks.deleted(r, a)
	p.echoes.bereave(r)
	r.deleted, r.since, r.overdue = true, 0, false // nobody waits for what was saved before
	p.worker.touched(r, 0)
}

// editCopy is a person at work in Salesforce, mostly in fields nobody syncs.
func (p *people) editCopy() {
	o := timeline.Pick(p.dice, p.objects)
	r := timeline.Pick(p.dice, o.pairs)
	row := p.copyOf(r)
	who := fmt.Sprintf("0055f00000Rep%dQAAE", p.dice.N(4))
	j := p.dice.N(len(o.Fields))
	f := &o.Fields[j]
	if row == nil {
		return
	}
	if p.dice.Chance(0.9) {
		text := "Called, will follow up " + crm.SalesforceID("00T")(p.dice.N(1000))
		o.target.Update(row, map[string]string{"Description": text}, who, p.targetNow())
		p.echoes.person(o, row, who, map[string]any{"Description": text})
		return
	}
	v := translate(f, draw(p.dice, &Profile{}, o.Name, f, r.n, p.Now()))
	if len(o.target.Update(row, map[string]string{f.Target: v}, who, p.targetNow())) == 0 {
		return
	}
	p.echoes.person(o, row, who, map[string]any{f.Target: v})
	r.claimed &^= 1 << j
	p.check(r, nil, causeEdited)
}

func (w *world) note(l truth.Line) {
	if l.At == 0 {
		l.At = w.at()
	}
	l.Tenant, l.Sync = w.in.Tenant, w.in.ID
	w.truth.Add(l)
}

func actorText(a event.Actor) string {
	if a.Run != "" {
		return a.Kind + "/" + a.ID + "/" + a.Run
	}
	return a.Kind + "/" + a.ID
}
