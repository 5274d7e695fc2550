package ledger

import (
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	// healFor is how long after its deadline a delivery may still heal.
	healFor = 24 * event.Hour
	// lateGrace is how long after it arrived nothing is judged: what belongs to
	// it may be on the same way.
	lateGrace = 3 * event.Second

	maxOpen = 256 // deliveries of one record
	maxKept = 8   // attempts and evidence of one record
	maxGaps = 64  // divergences of one record
)

// Ledger folds facts, record by record.
type Ledger struct {
	objects map[[2]string]*mapping
	order   []*mapping // the same, sorted, once asked for
	enrich  func(*event.Attempt)
	sample  []sample // room for those of one input
}

func newLedger(integrations []config.Integration, enrich func(*event.Attempt), learnAfter int) *Ledger {
	if enrich == nil {
		enrich = func(*event.Attempt) {}
	}
	return &Ledger{objects: newMappings(integrations, learnAfter), enrich: enrich}
}

// Step implements stream.Fold.
func (l *Ledger) Step(ctx stream.Ctx, key string, r *Record, ev event.Event, out *stream.Out) {
	f := l.folding(ctx, key, r, out)
	switch e := ev.(type) {
	case *event.Change:
		f.at(e.ReceivedAt)
		f.change(e)
	case *event.Attempt:
		f.at(e.ReceivedAt)
		if e.Failed() {
			l.enrich(e)
		}
		f.attempt(e)
	case *event.Observation:
		f.at(e.ReceivedAt)
		f.observation(e)
	case *event.Link:
		f.at(e.LearnedAt)
		f.link(e)
	case *event.Click:
		f.at(e.ReceivedAt)
		f.click(e)
	}
	f.learn()
}

// Timer implements stream.Fold. What no integration maps any more is let go.
func (l *Ledger) Timer(ctx stream.Ctx, key string, r *Record, out *stream.Out) {
	f := l.folding(ctx, key, r, out)
	if f.m == nil {
		*r = Record{}
		return
	}
	f.deadlines()
}

// folding is one input being folded into one record.
type folding struct {
	l     *Ledger
	ctx   stream.Ctx
	r     *Record
	out   *stream.Out
	m     *mapping   // nil: nobody maps the object
	p     pace       // as it was learned before this input
	key   string     // of the canonical record
	whole string     // the same as the topics' key
	clock event.Time // stream time, or the input's arrival where that is ahead

	proven []proof  // by this input: differences that its deliveries account for
	sample []sample // what this input teaches
	ask    *event.Check
}

func (l *Ledger) folding(ctx stream.Ctx, key string, r *Record, out *stream.Out) folding {
	integration, rest, _ := strings.Cut(key, "/")
	object, record, _ := strings.Cut(rest, "/")
	f := folding{
		l: l, ctx: ctx, r: r, out: out, m: l.objects[[2]string{integration, object}], key: record, whole: key, clock: ctx.Now,
		sample: l.sample[:0],
	}
	if f.m != nil {
		f.p = f.m.pace()
	}
	return f
}

func (f *folding) at(received event.Time) { f.clock = max(f.clock, received) }

func (f *folding) change(c *event.Change) {
	switch {
	case f.m == nil:
	case c.RecordKey == "":
		f.orphan(echoed(f.m, c), c.RecordID)
	case c.Side == event.Target:
		f.timed(c)
		f.targetChange(c)
	default:
		f.timed(c)
		f.sourceChange(c)
	}
}

func (f *folding) sourceChange(c *event.Change) {
	switch {
	case f.m.ours(c.Side, c.Actor) || f.loop(c):
		// The sync's own write coming back: never a change in any KPI, but it
		// says what the source holds now.
		f.shown(echoed(f.m, c))
	case c.MergedInto != "" && c.MergedInto != c.RecordID:
		f.mergedAway(event.DeliveryID(c.Integration, c.Object, c.MergedInto, c.ID), c.ChangedAt)
	default:
		f.toldSource(c)
		f.open(c, f.m.wants(c))
	}
}

func (f *folding) targetChange(c *event.Change) {
	e := echoed(f.m, c)
	if !f.weigh(e) {
		return
	}
	if f.m.integration.Bidirectional && f.m.others(c.Side, c.Actor) && c.Operation == event.OpUpdate {
		if wants := f.m.returns(c); len(wants) > 0 {
			f.open(c, wants)
		}
	}
	f.compare(e)
}

func (f *folding) observation(b *event.Observation) {
	switch {
	case f.m == nil:
	case b.OutOfScope:
		f.leaveScope()
	case f.extra(b):
	case b.RecordKey == "":
		f.orphan(observed(f.m, b), b.RecordID)
	default:
		f.shown(observed(f.m, b))
		f.duplicates(b)
	}
}

// open starts the delivery of a change, retires what it replaces, and folds
// in what was tried and seen before it arrived.
func (f *folding) open(c *event.Change, wants []Want) {
	if len(wants) == 0 && (c.Operation == event.OpAssociate || len(c.Fields) > 0 && c.Operation == event.OpUpdate) {
		return // nothing of it is synced
	}
	o := f.delivery(c, wants)
	for i := range f.r.Open {
		if f.r.Open[i].D.ChangeID == c.ID {
			return // the same change, sent twice
		}
	}
	f.replace(&o)
	f.replaced(&o)
	for i := range f.r.Kept {
		switch k := &f.r.Kept[i]; {
		case k.Try == nil:
			f.judge(&o, k.Evidence)
		case f.tried(&o, k.Try) && k.Failure != nil:
			f.claim(k, &o)
		}
	}
	f.emit(&o, Passage{})
	f.r.Open = append(f.r.Open, o)
	f.sourceMoved(&f.r.Open[len(f.r.Open)-1])
	f.bound()
}

func (f *folding) delivery(c *event.Change, wants []Want) Open {
	o := Open{Wants: wants, D: Passage{
		TargetID: f.r.TargetID, ChangeID: c.ID, Operation: c.Operation, State: event.StateObserved, ChangedAt: c.ChangedAt,
		ReceivedAt: c.ReceivedAt, Actor: c.Actor, Series: series(c.Actor), Reverse: c.Side == event.Target,
	}}
	if c.Side == event.Target {
		o.D.TargetID = c.RecordID
	} else if c.RecordID != f.key {
		o.D.SourceID = c.RecordID
	}
	if c.TimeBasis == event.TimeReceived {
		o.D.StartBasis = c.TimeBasis
	}
	o.D.DueAt = f.p.due(c)
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
			f.emit(o, before)
		}
	}
}

// emit writes a delivery as it now stands, and what of it is counted as it was.
func (f *folding) emit(o *Open, was Passage) {
	d := o.D.event(f.m.integration, f.m.object.Name, f.key)
	d.Was, d.WasAttempts, d.WasAcked = was.State, was.Attempts, was.AcknowledgedAt > 0
	d.UpdatedAt, d.Version = f.clock, f.ctx.Version
	f.out.Emit(topic.Deliveries, f.whole, d)
}

func (f *folding) deliveryID(o *Open) string {
	return event.DeliveryID(f.m.integration.ID, f.m.object.Name, f.key, o.D.ChangeID)
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
		was := o.D
		o.missed()
		f.emit(o, was)
	}
	f.r.Open = append(f.r.Open[:oldest], f.r.Open[oldest+1:]...)
}
