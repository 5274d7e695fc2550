package resolve

import (
	"errors"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Options bound what an operator remembers.
type Options struct {
	Integrations []config.Integration
	KeepHours    int64 // of event ids, beyond the vendors' retry horizon; default 30
	MaxIDs       int   // per partition; default 4 million
	WaitLimit    int   // echoes of one record that wait for a link; default 64
	WaitFor      int64 // milliseconds an echo waits; default 15 minutes
}

func (o Options) withDefaults() Options {
	if o.KeepHours == 0 {
		o.KeepHours = 30 // HubSpot retries over 24 h
	}
	if o.MaxIDs == 0 {
		o.MaxIDs = 4 << 20
	}
	if o.WaitLimit == 0 {
		o.WaitLimit = 64
	}
	if o.WaitFor == 0 {
		o.WaitFor = 15 * event.Minute
	}
	return o
}

// Operator folds one partition of intake.
type Operator struct {
	o      Options
	routes *routes
	seen   *dedupe
	links  *stream.Keyed[Links, *Links]

	rhythms  map[string]*Rhythm // by system and account
	listened int64              // the minute
	canaryOf []canaryOf
	canaries map[string]*Canary // by key of canaryOf

	walkedSeen bool // the rewrite walk has passed the event ids
}

// New makes the operator of one partition.
func New(o Options) *Operator {
	o = o.withDefaults()
	op := &Operator{o: o, routes: newRoutes(o.Integrations), seen: newDedupe(o.KeepHours, o.MaxIDs), rhythms: map[string]*Rhythm{}, canaries: map[string]*Canary{}}
	op.canaryOf = canariesOf(o.Integrations)
	op.links = stream.NewKeyed[Links](&fold{o: o, routes: op.routes})
	return op
}

// Step implements stream.Operator.
func (op *Operator) Step(ctx stream.Ctx, key string, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Change:
		fresh := op.admit(ctx, origin{"change", e.Hook, e.System, e.Integration, e.ReceivedAt}, &e.ID, e.BodyHash, out)
		op.heard(e, fresh, out)
		op.sang(e, out)
		if fresh {
			op.change(ctx, key, e, out)
		}
	case *event.Attempt:
		if op.admit(ctx, origin{"attempt", "", e.System, e.Integration, e.ReceivedAt}, &e.ID, e.BodyHash, out) {
			op.attempt(ctx, key, e, out)
		}
	case *event.Observation:
		if op.admit(ctx, origin{"observation", "", e.System, e.Integration, e.ReceivedAt}, &e.ID, e.BodyHash, out) {
			op.observation(ctx, key, e, out)
		}
	case *event.Signal:
		if op.admit(ctx, origin{"signal", e.Sender, e.System, e.Integration, e.ReceivedAt}, &e.ID, e.BodyHash, out) {
			op.signal(e, out)
		}
	case *event.Reconciliation:
		op.comparison(e, out)
	case *event.Click:
		if op.admit(ctx, origin{"click", "", "", e.Integration, e.ReceivedAt}, &e.ID, e.BodyHash, out) {
			op.click(e, out)
		}
	case *event.Access:
		if op.admit(ctx, origin{"access", e.Sender, e.System, "", e.ReceivedAt}, &e.ID, e.BodyHash, out) {
			op.access(e, out)
		}
	case *event.Link:
		op.links.Step(ctx, key, e, out)
	}
}

// Tick implements stream.Operator.
func (op *Operator) Tick(ctx stream.Ctx, out *stream.Out) {
	op.seen.expire(ctx.Now)
	op.links.Tick(ctx, out)
	op.listen(ctx.Now, out)
}

// origin is where an event came from: ids are unique within it.
type origin struct {
	kind, sender, system, integration string
	received                          event.Time
}

func (o origin) String() string {
	return o.kind + "/" + o.sender + "/" + o.system + "/" + o.integration
}

// admit reports whether an event is new. Another body under a known id is
// kept under an id of its own, and said.
func (op *Operator) admit(ctx stream.Ctx, from origin, id *string, body uint64, out *stream.Out) bool {
	at := max(ctx.Now, from.received)
	switch op.seen.check(at, from.String(), *id, body) {
	case isRedelivery:
		return false
	case isConflict:
		known := *id
		*id += "~" + strconv.FormatUint(body, 16)
		op.signal(&event.Signal{
			ID: event.Hash("signal", event.SignalIDConflict, from.String(), *id), Kind: event.SignalIDConflict,
			Integration: from.integration, System: from.system, StartedAt: at, ReceivedAt: at,
			Summary: "event id " + known + " arrived again with another body; both are kept",
		}, out)
	}
	return true
}

func (op *Operator) change(ctx stream.Ctx, key string, c *event.Change, out *stream.Out) {
	links := c.ExternalID != "" || c.MergedInto != "" || c.Operation == event.OpDelete
	op.routes.each(c.System, c.Account, c.Object, c.Integration, func(to route) {
		if to.side == event.Target {
			links = true
			return
		}
		links = links || to.keyed(c.Fields)
		fact := *c
		to.stampChange(&fact, c.RecordID)
		out.Emit(topic.Facts, event.RecordKey(fact.Integration, fact.Object, c.RecordID), &fact)
	})
	if links {
		op.links.Step(ctx, key, c, out)
	}
}

func (op *Operator) observation(ctx stream.Ctx, key string, b *event.Observation, out *stream.Out) {
	links := b.ExternalID != ""
	op.routes.each(b.System, b.Account, b.Object, b.Integration, func(to route) {
		if to.side == event.Target {
			links = true
			return
		}
		links = links || to.keyed(b.Fields)
		fact := *b
		to.stampObservation(&fact, b.RecordID)
		out.Emit(topic.Facts, event.RecordKey(fact.Integration, fact.Object, b.RecordID), &fact)
	})
	if nobody := b.Missing && b.ExternalID == "" && orphanID(b.RecordID); links && !nobody {
		op.links.Step(ctx, key, b, out)
	}
}

// attempt re-keys an attempt. One with a target id only needs a link, and one
// with both ids teaches one.
func (op *Operator) attempt(ctx stream.Ctx, key string, a *event.Attempt, out *stream.Out) {
	in, obj := op.routes.object(a.Integration, a.Object)
	if in == nil {
		return // ingest dead-letters unknown integrations; this one was removed since
	}
	a.Tenant = in.Tenant
	if obj != nil {
		a.Object = obj.Name
	}
	switch {
	case obj == nil || a.Granularity == event.GranularityRun || (a.SourceID == "" && a.TargetID == ""):
		out.Emit(topic.Facts, a.Integration+"/unlinked", a)
	case a.SourceID != "" && (a.TargetID == "" || a.Failed() || !event.IsWrite(a.Operation)):
		linkAttempt(a, a.SourceID)
		out.Emit(topic.Facts, event.RecordKey(a.Integration, a.Object, a.RecordKey), a)
	default:
		op.links.Step(ctx, key, a, out)
	}
}

// linkAttempt names the canonical record, and the delivery where the sender
// named the change.
func linkAttempt(a *event.Attempt, sourceID string) {
	a.RecordKey = sourceID
	if a.ChangeID != "" {
		a.DeliveryID = event.DeliveryID(a.Integration, a.Object, sourceID, a.ChangeID)
	}
}

// click goes to whoever knows its subject: a divergence is its record's, an
// alert, incident or agent its tenant's.
func (op *Operator) click(c *event.Click, out *stream.Out) {
	in, obj := op.routes.object(c.Integration, c.Object)
	if in != nil {
		c.Tenant = in.Tenant
	}
	if ofRecord(c.Kind) && obj != nil && c.RecordKey != "" {
		c.Object = obj.Name
		out.Emit(topic.Facts, event.RecordKey(in.ID, obj.Name, c.RecordKey), c)
		return
	}
	out.Emit(topic.Partials, c.Tenant, c)
}

// ofRecord reports whether a click of this kind may be about one record.
func ofRecord(kind string) bool {
	return kind == event.ClickAccept || kind == event.ClickReopen || kind == event.ClickRecheck
}

// comparison goes to its tenant: coverage and drift are judged by it.
func (op *Operator) comparison(e *event.Reconciliation, out *stream.Out) {
	for i := range op.o.Integrations {
		if in := &op.o.Integrations[i]; in.ID == e.Integration {
			copied := *e
			copied.Tenant = in.Tenant
			out.Emit(topic.Partials, in.Tenant, &copied)
			return
		}
	}
}

// access goes to the tenants that use the system, or to the one it names.
func (op *Operator) access(a *event.Access, out *stream.Out) {
	told := map[string]bool{}
	for i := range op.o.Integrations {
		in := &op.o.Integrations[i]
		if told[in.Tenant] || a.Tenant != "" && a.Tenant != in.Tenant || !uses(&in.Source, a) && !uses(&in.Target, a) {
			continue
		}
		told[in.Tenant] = true
		copied := *a
		copied.Tenant = in.Tenant
		out.Emit(topic.Partials, in.Tenant, &copied)
	}
}

func uses(e *config.Endpoint, a *event.Access) bool {
	return e.System == a.System && (a.Account == "" || e.Account == "" || e.Account == a.Account)
}

// signal goes to every integration it concerns, to be kept and to be watched.
func (op *Operator) signal(s *event.Signal, out *stream.Out) {
	for i := range op.o.Integrations {
		in := &op.o.Integrations[i]
		if s.Integration != "" && s.Integration != in.ID {
			continue
		}
		if s.Integration == "" && s.System != "" && s.System != in.Source.System && s.System != in.Target.System {
			continue
		}
		copied := *s
		copied.Tenant, copied.Integration = in.Tenant, in.ID
		out.Emit(topic.Signals, in.ID, &copied)
		out.Emit(topic.Partials, in.Tenant, &copied)
	}
}

func (t route) stampChange(c *event.Change, sourceID string) {
	c.Tenant, c.Integration, c.Side = t.integration.Tenant, t.integration.ID, t.side
	c.Object, c.RecordKey = t.object.Name, sourceID
}

func (t route) stampObservation(b *event.Observation, sourceID string) {
	b.Tenant, b.Integration, b.Side = t.integration.Tenant, t.integration.ID, t.side
	b.Object, b.RecordKey = t.object.Name, sourceID
}

// Save implements stream.State.
func (op *Operator) Save(emit stream.Emit) error {
	if err := op.seen.save(emit); err != nil {
		return err
	}
	if err := errors.Join(op.saveRhythms(false, emit), op.saveCanaries(false, emit)); err != nil {
		return err
	}
	return op.links.Save(linkKeys(emit))
}

// Rewrite implements stream.State: first the event ids, then the links.
func (op *Operator) Rewrite(n int, emit stream.Emit) (bool, error) {
	if !op.walkedSeen {
		if err := errors.Join(op.saveRhythms(true, emit), op.saveCanaries(true, emit)); err != nil {
			return false, err
		}
		done, err := op.seen.rewrite(n, emit)
		op.walkedSeen = done
		return false, err
	}
	done, err := op.links.Rewrite(n, linkKeys(emit))
	op.walkedSeen = !done
	return done, err
}

// Load implements stream.State.
func (op *Operator) Load(key string, value []byte) error {
	if link, ok := strings.CutPrefix(key, linkPrefix); ok {
		return op.links.Load(link, value)
	}
	if source, ok := strings.CutPrefix(key, rhythmPrefix); ok {
		return op.loadRhythm(source, value)
	}
	if key, ok := strings.CutPrefix(key, canaryPrefix); ok {
		return op.loadCanary(key, value)
	}
	return op.seen.load(key, value)
}

const linkPrefix = "link/"

func linkKeys(emit stream.Emit) stream.Emit {
	return stream.Prefixed(linkPrefix, emit)
}
