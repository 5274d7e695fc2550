package ledger

import (
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// skewBound is how far two systems' clocks may disagree before an attempt is
// taken to precede a change it carried.
const skewBound = 5 * event.Second

// healFor is how long after its deadline a delivery may still heal.
const healFor = 24 * event.Hour

// Ledger folds facts, record by record.
type Ledger struct {
	objects map[[2]string]*mapping
	enrich  func(*event.Attempt)
}

// New makes the operator of one partition of facts. Enrich, if not nil, puts
// the verdict on a failed attempt before it is folded.
func New(integrations []config.Integration, enrich func(*event.Attempt)) *stream.Keyed[Record, *Record] {
	if enrich == nil {
		enrich = func(*event.Attempt) {}
	}
	return stream.NewKeyed[Record](&Ledger{objects: newMappings(integrations), enrich: enrich})
}

// Step implements stream.Fold.
func (l *Ledger) Step(ctx stream.Ctx, _ string, r *Record, ev event.Event, out *stream.Out) {
	f := folding{l: l, ctx: ctx, r: r, out: out}
	switch e := ev.(type) {
	case *event.Change:
		f.change(e)
	case *event.Attempt:
		f.attempt(e)
	case *event.Observation:
		f.shown(evidence{
			at: e.ObservedAt, modified: e.ModifiedAt, received: e.ReceivedAt, fields: e.Fields, whole: e.Whole,
			basis: basisOf(e.FoundBy), resolution: e.ResolutionMS, writer: e.Writer, missing: e.Missing,
			side: e.Side, targetID: e.RecordID, object: [2]string{e.Integration, e.Object},
		})
	}
}

// Timer implements stream.Fold.
func (l *Ledger) Timer(ctx stream.Ctx, _ string, r *Record, out *stream.Out) {
	f := folding{l: l, ctx: ctx, r: r, out: out}
	f.deadlines()
}

// folding is one input being folded into one record.
type folding struct {
	l   *Ledger
	ctx stream.Ctx
	r   *Record
	out *stream.Out
}

func (f *folding) change(c *event.Change) {
	m := f.l.objects[[2]string{c.Integration, c.Object}]
	if m == nil || c.RecordKey == "" {
		return
	}
	if c.Side == event.Target {
		f.shown(evidence{
			at: c.ChangedAt, modified: c.ChangedAt, received: c.ReceivedAt, fields: c.Fields,
			basis: event.BasisAppliedEvent, writer: c.Actor, side: c.Side, targetID: c.RecordID,
			missing: c.Operation == event.OpDelete, object: [2]string{c.Integration, c.Object},
		})
		return
	}
	if m.echoOfOurs(c.Side, c.Actor) {
		return // the sync's own write coming back: never a change in any KPI
	}
	f.open(m, c)
}

// open starts the delivery of a change and retires what it replaces.
func (f *folding) open(m *mapping, c *event.Change) {
	wants := m.wants(c)
	if len(wants) == 0 && len(c.Fields) > 0 || c.Operation == event.OpAssociate {
		return // nothing of it is synced
	}
	id := event.DeliveryID(c.Integration, c.Object, c.RecordKey, c.ID)
	for i := range f.r.Open {
		if f.r.Open[i].D.ID == id {
			return // the same change, fanned out twice
		}
	}
	f.supersede(c, wants, id)
	due := m.due(c)
	o := Open{
		D: event.Delivery{
			ID: id, Tenant: c.Tenant, Integration: c.Integration, Object: c.Object, RecordKey: c.RecordKey,
			SourceID: c.RecordID, TargetID: f.r.TargetID, ChangeID: c.ID, Operation: c.Operation,
			State: event.StateObserved, ChangedAt: c.ChangedAt, ReceivedAt: c.ReceivedAt, DueAt: due,
			StartBasis: orEvent(c.TimeBasis), Actor: c.Actor, Series: series(c.Actor),
		},
		Wants: wants, Forget: due + healFor,
	}
	f.r.Open = append(f.r.Open, o)
	f.emit(&f.r.Open[len(f.r.Open)-1], c.ReceivedAt)
}

// supersede retires older deliveries field by field: a late older change is
// itself replaced by what is already open.
func (f *folding) supersede(c *event.Change, wants []Want, id string) {
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if o.D.ChangedAt > c.ChangedAt {
			continue
		}
		for w := range o.Wants {
			for n := range wants {
				if o.Wants[w].Target == wants[n].Target && !o.Wants[w].Shown {
					o.Wants[w].Past = true
				}
			}
		}
		if o.replaced() || c.Operation == event.OpDelete {
			o.D.SupersededBy = id
			f.finish(o, event.StateSuperseded, c.ReceivedAt)
		}
	}
	f.sweep()
}

func orEvent(basis string) string {
	if basis == "" {
		return event.TimeEvent
	}
	return basis
}

// series keeps announced imports and first loads apart from live traffic.
func series(a event.Actor) string {
	if a.Kind == event.ActorImport {
		return event.ActorImport
	}
	return ""
}

// emit writes a delivery as it now stands.
func (f *folding) emit(o *Open, at event.Time) {
	o.D.UpdatedAt = max(at, f.ctx.Now)
	o.D.Version = f.ctx.Version
	d := o.D
	f.out.Emit(topic.Deliveries, event.RecordKey(d.Integration, d.Object, d.RecordKey), &d)
}

func (f *folding) finish(o *Open, state string, at event.Time) {
	o.D.State, o.Forget = state, 0
	f.emit(o, at)
}

// sweep drops finished deliveries.
func (f *folding) sweep() {
	kept := f.r.Open[:0]
	for i := range f.r.Open {
		if f.r.Open[i].Forget != 0 {
			kept = append(kept, f.r.Open[i])
		}
	}
	clear(f.r.Open[len(kept):])
	f.r.Open = kept
}
