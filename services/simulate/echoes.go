package simulate

import (
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/timeline"
)

// change is Salesforce's own event, as a relay posts it in Plumbline's format.
type change struct {
	ID          string         `json:"id"`
	Integration string         `json:"integration"`
	System      string         `json:"system"`
	Object      string         `json:"object"`
	RecordID    string         `json:"record_id"`
	Operation   string         `json:"operation"`
	ChangedAt   int64          `json:"changed_at"`
	Fields      map[string]any `json:"fields,omitempty"`
	Actor       event.Actor    `json:"actor"`
	ExternalID  string         `json:"external_id,omitempty"`
}

// signal is what may explain failures, in Plumbline's format.
type signal struct {
	ID          string      `json:"id"`
	Integration string      `json:"integration"`
	Kind        string      `json:"kind"`
	System      string      `json:"system,omitempty"`
	Object      string      `json:"object,omitempty"`
	Field       string      `json:"field,omitempty"`
	StartedAt   int64       `json:"started_at"`
	Summary     string      `json:"summary,omitempty"`
	Actor       event.Actor `json:"actor"`
}

// echoes is Salesforce's side of telling: of the worker's writes and of what
// its own users do.
type echoes struct {
	*world
	dice    *timeline.Dice
	waiting []any
	planned bool
	typed   map[*pair]*crm.Row // by hand, for want of a copy
	orphans map[*pair]*crm.Row // of these, what is nobody's counterpart
}

func newEchoes(w *world) *echoes {
	return &echoes{world: w, dice: w.diceOf("echoes"), typed: map[*pair]*crm.Row{}, orphans: map[*pair]*crm.Row{}}
}

// wrote tells of the worker's write, with the values the org really holds.
func (e *echoes) wrote(s *sent, a *crm.Answer) {
	row := e.copyOf(s.r)
	fields := map[string]any{}
	values := s.values
	if a.Stored != nil {
		values = a.Stored
	}
	for name := range values {
		if v := row.Values[name]; v != "" {
			fields[name] = v
		} else {
			fields[name] = nil
		}
	}
	op := event.OpUpdate
	if a.Created {
		op = event.OpCreate
	}
	e.tell(s.r.o, row.ID, op, event.Actor{Kind: event.ActorIntegration, ID: e.syncUser()}, fields, s.r.row.ID)
}

func (e *echoes) gone(o *object, id, external string) {
	e.tell(o, id, event.OpDelete, event.Actor{Kind: event.ActorIntegration, ID: e.syncUser()}, nil, external)
}

// byClient tells of a write through the fake API, and notes its truth.
func (e *echoes) byClient(o *object, c crm.Change) {
	fields := map[string]any{}
	for _, name := range c.Fields {
		fields[name] = nil
		if v := c.Row.Values[name]; v != "" {
			fields[name] = v
		}
	}
	id := e.tell(o, c.Row.ID, c.Operation, event.Actor{Kind: event.ActorUser, ID: c.Writer}, fields, c.Row.External)
	mask := o.mask(c.Fields, true)
	e.note(truth.Line{
		Kind: truth.Change, ID: id, System: e.in.Target.System, Object: o.Name, SourceID: c.Row.External, TargetID: c.Row.ID,
		Operation: c.Operation, Actor: event.ActorUser + "/" + c.Writer, Mapped: mask != 0, Fields: o.names(mask, true),
	})
}

// person tells of an edit in Salesforce, and notes its truth.
func (e *echoes) person(o *object, row *crm.Row, who string, fields map[string]any) {
	id := e.tell(o, row.ID, event.OpUpdate, event.Actor{Kind: event.ActorUser, ID: who}, fields, row.External)
	mask := uint32(0)
	for j := range o.Fields {
		if _, ok := fields[o.Fields[j].Target]; ok {
			mask |= 1 << j
		}
	}
	e.note(truth.Line{
		Kind: truth.Change, ID: id, System: e.in.Target.System, Object: o.Name, SourceID: row.External,
		TargetID: row.ID, Operation: event.OpUpdate, Actor: event.ActorUser + "/" + who, Mapped: mask != 0, Fields: o.names(mask, true),
	})
}

// tell posts an event a little later, with others.
func (e *echoes) tell(o *object, id, op string, by event.Actor, fields map[string]any, external string) string {
	if s := e.o.Scenario; s != nil && !*s.Echoes {
		return "sfdc-" + itoa(e.next())
	}
	c := change{
		ID: "sfdc-" + itoa(e.next()), Integration: e.in.ID, System: e.in.Target.System, Object: o.native,
		RecordID: id, Operation: op, ChangedAt: e.targetNow(), Fields: fields, Actor: by, ExternalID: external,
	}
	e.waiting = append(e.waiting, c)
	if !e.planned {
		e.planned = true
		e.After(e.dice.Around(400*time.Millisecond, 0.5), func() {
			e.planned = false
			batch := e.waiting
			e.waiting = nil
			e.out.own("changes", batch...)
		})
	}
	return c.ID
}

// typeIn is a colleague who types a person into Salesforce by hand. By its
// e-mail it is the record's counterpart until the sync makes a copy.
func (e *echoes) typeIn(r *pair) {
	const who = "0055f00000Rep0QAAE"
	values, fields := map[string]string{}, map[string]any{}
	for j := range r.o.Fields {
		f := &r.o.Fields[j]
		if v := translate(f, r.row.Values[f.Source]); r.o.target.Field(f.Target).Options == nil {
			values[f.Target], fields[f.Target] = v, v
		}
	}
	row := r.o.target.Insert(values, "", who, e.targetNow())
	e.typed[r] = row
	id := e.tell(r.o, row.ID, event.OpCreate, event.Actor{Kind: event.ActorUser, ID: who}, fields, "")
	e.note(truth.Line{
		Kind: truth.Change, ID: id, System: e.in.Target.System, Object: r.o.Name, TargetID: row.ID,
		Operation: event.OpCreate, Actor: event.ActorUser + "/" + who, Mapped: true,
	})
}

// bereave leaves what was typed in without a counterpart: the record has a copy
// of its own, or is gone.
func (e *echoes) bereave(r *pair) {
	row := e.typed[r]
	if row == nil {
		return
	}
	delete(e.typed, r)
	e.orphans[r] = row
	e.orphanGap(r, row, truth.Divergence)
}

// removeTyped is the clean-up after a duplicate was refused.
func (e *echoes) removeTyped(r *pair) {
	row, orphan := e.typed[r], e.orphans[r]
	if orphan != nil {
		row = orphan
	}
	if row == nil {
		return
	}
	const who = "0055f00000AdminAAE"
	delete(e.typed, r)
	delete(e.orphans, r)
	r.o.target.Delete(row, who, e.targetNow())
	id := e.tell(r.o, row.ID, event.OpDelete, event.Actor{Kind: event.ActorUser, ID: who}, nil, "")
	e.note(truth.Line{
		Kind: truth.Change, ID: id, System: e.in.Target.System, Object: r.o.Name, TargetID: row.ID,
		Operation: event.OpDelete, Actor: event.ActorUser + "/" + who, Mapped: true,
	})
	if orphan != nil {
		e.orphanGap(r, row, truth.Resolved)
		return
	}
	e.check(r, e.blocking(r), event.ClassDuplicate)
}

func (e *echoes) orphanGap(r *pair, row *crm.Row, kind string) {
	e.note(truth.Line{
		Kind: kind, ID: event.DivergenceID(e.in.ID, r.o.Name, "orphan/"+row.ID, "", event.MissingInSource),
		Object: r.o.Name, TargetID: row.ID, Type: event.MissingInSource, Cause: causeCreated,
	})
}
