package ledger

import (
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	// skewBound is how far two systems' clocks may disagree before an attempt
	// is taken to precede a change it carried.
	skewBound = 5 * event.Second
	// healFor is how long after its deadline a delivery may still heal.
	healFor = 24 * event.Hour
	// lateGrace is how long after it arrived nothing is judged: what belongs to
	// it may be on the same way.
	lateGrace = 3 * event.Second

	maxOpen = 256 // deliveries of one record
	maxKept = 8   // attempts and evidence of one record
)

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
	f := folding{ctx: ctx, r: r, out: out}
	switch e := ev.(type) {
	case *event.Change:
		f.at(l, e.Integration, e.Object, e.ReceivedAt)
		f.change(e)
	case *event.Attempt:
		f.at(l, e.Integration, e.Object, e.ReceivedAt)
		if e.Failed() {
			l.enrich(e)
		}
		f.attempt(e)
	case *event.Observation:
		f.at(l, e.Integration, e.Object, e.ReceivedAt)
		if f.m != nil && e.RecordKey != "" && e.Side == event.Target {
			f.shown(observed(f.m, e))
		}
	}
}

// Timer implements stream.Fold.
func (l *Ledger) Timer(ctx stream.Ctx, _ string, r *Record, out *stream.Out) {
	f := folding{ctx: ctx, r: r, out: out, clock: ctx.Now}
	f.deadlines()
}

// folding is one input being folded into one record.
type folding struct {
	ctx   stream.Ctx
	r     *Record
	out   *stream.Out
	m     *mapping   // nil: nobody maps the object; of timers, which need none
	clock event.Time // stream time, or the input's arrival where that is ahead
}

func (f *folding) at(l *Ledger, integration, object string, received event.Time) {
	f.m, f.clock = l.objects[[2]string{integration, object}], max(f.ctx.Now, received)
}

func (f *folding) change(c *event.Change) {
	if f.m == nil || c.RecordKey == "" {
		return
	}
	if c.Side == event.Target {
		f.shown(echoed(f.m, c))
		return
	}
	switch {
	case f.m.ours(c.Side, c.Actor): // the sync's own write coming back: never a change in any KPI
	case c.Operation == event.OpAssociate: // fields only, so far
	case c.MergedInto != "" && c.MergedInto != c.RecordID:
		f.mergedAway(c)
	default:
		f.open(c)
	}
}

// open starts the delivery of a change, retires what it replaces, and folds
// in what was tried and seen before it arrived.
func (f *folding) open(c *event.Change) {
	wants := f.m.wants(c)
	if len(wants) == 0 && len(c.Fields) > 0 && c.Operation == event.OpUpdate {
		return // nothing of it is synced
	}
	o := f.delivery(c, wants)
	for i := range f.r.Open {
		if f.r.Open[i].D.ID == o.D.ID {
			return // the same change, sent twice
		}
	}
	f.replace(&o)
	f.replaced(&o)
	for i := range f.r.Kept {
		if k := &f.r.Kept[i]; k.Try != nil {
			f.tried(&o, k.Try)
		} else {
			f.judge(&o, k.Evidence)
		}
	}
	f.emit(&o, "")
	f.r.Open = append(f.r.Open, o)
	f.bound()
}

func (f *folding) delivery(c *event.Change, wants []Want) Open {
	o := Open{Wants: wants, D: event.Delivery{
		ID: event.DeliveryID(c.Integration, c.Object, c.RecordKey, c.ID), Tenant: c.Tenant, Integration: c.Integration,
		Object: c.Object, RecordKey: c.RecordKey, SourceID: c.RecordID, TargetID: f.r.TargetID, ChangeID: c.ID,
		Operation: c.Operation, State: event.StateObserved, ChangedAt: c.ChangedAt, ReceivedAt: c.ReceivedAt,
		StartBasis: orEvent(c.TimeBasis), Actor: c.Actor, Series: series(c.Actor),
	}}
	o.D.DueAt = f.m.due(c)
	o.Judge = f.notYet(o.D.DueAt)
	o.Forget = o.Judge + healFor
	return o
}

// notYet gives what belongs to a late arrival the time to arrive.
func (f *folding) notYet(due event.Time) event.Time {
	if f.clock < due {
		return due
	}
	return f.clock + lateGrace
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

// each runs do on every delivery and writes those it changed.
func (f *folding) each(do func(*Open)) {
	for i := range f.r.Open {
		o := &f.r.Open[i]
		before := o.D
		do(o)
		if o.D != before {
			f.emit(o, before.State)
		}
	}
}

// emit writes a delivery as it now stands, and the state it was in.
func (f *folding) emit(o *Open, was string) {
	o.D.UpdatedAt = f.clock
	o.D.Version = f.ctx.Version
	d := o.D
	d.Was = was
	f.out.Emit(topic.Deliveries, event.RecordKey(d.Integration, d.Object, d.RecordKey), &d)
}

// settle gives a delivery its last state. It stays for a while: attempts are
// reported, and older changes arrive, after the fact.
func (f *folding) settle(o *Open, state string) {
	o.D.State = state
	o.Forget = f.clock + f.m.recent
}

// bound keeps a record that is written at machine speed from growing: the
// oldest that is settled goes, or else the oldest is judged early.
func (f *folding) bound() {
	if len(f.r.Open) <= maxOpen {
		return
	}
	oldest := 0
	for i := range f.r.Open {
		if f.r.Open[i].settled() {
			oldest = i
			break
		}
	}
	if o := &f.r.Open[oldest]; o.waits() {
		was := o.D.State
		o.missed()
		f.emit(o, was)
	}
	f.r.Open = append(f.r.Open[:oldest], f.r.Open[oldest+1:]...)
}
