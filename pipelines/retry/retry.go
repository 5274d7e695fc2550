package retry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// The kinds of harm.
const (
	UnsafeCreate = "unsafe_create"
	Early        = "early"
	Hopeless     = "permanent"
	Storm        = "storm"
)

const (
	maxRecords = 100_000    // failing at a time, of one partition: beyond, new ones are not watched
	maxStories = 4096       // of one partition
	keep       = event.Hour // how long a failed try is remembered
	calm       = event.Hour // without harm for so long, a story ends
	hopeless   = 3          // tries after a permanent error, beyond which it is harm
	stormTries = 10         // failures of one record in a row
	stormSpan  = 10 * event.Minute
	growth     = 4 // how much more must happen to be told again
)

// least is how often it must happen before it is told.
var least = map[string]int64{UnsafeCreate: 1, Early: 3, Hopeless: 1, Storm: 1}

// Retry implements stream.Operator.
type Retry struct {
	*stream.Parts
	tries   *stream.Keyed[Tries, *Tries]
	stories *stream.Table[Story, *Story]
}

// New makes the operator of one partition of facts.
func New() *Retry {
	r := &Retry{stories: stream.NewTable[Story]()}
	r.tries = stream.NewKeyed[Tries](fold{r})
	r.Parts = stream.NewParts(stream.Part{Name: "r", State: r.tries}, stream.Part{Name: "s", State: r.stories})
	return r
}

// Step implements stream.Operator.
func (r *Retry) Step(ctx stream.Ctx, key string, ev event.Event, out *stream.Out) {
	a, ok := ev.(*event.Attempt)
	if !ok || a.RecordKey == "" || a.Granularity == event.GranularityRun || !event.IsWrite(a.Operation) {
		return
	}
	if a.Failed() || r.tries.Has(key) {
		if r.tries.Has(key) || r.tries.Len() < maxRecords {
			r.tries.Step(ctx, key, a, out)
		}
	}
}

// Tick implements stream.Operator.
func (r *Retry) Tick(ctx stream.Ctx, out *stream.Out) {
	r.tries.Tick(ctx, out)
	for _, key := range slices.Clone(r.stories.Keys()) {
		s := r.stories.Get(key)
		switch {
		case ctx.Now-s.Last >= calm:
			if s.Told > 0 {
				r.tell(ctx, s, ctx.Now, out)
			}
			r.stories.Delete(key)
		case s.Told == 0 && s.N >= least[s.What], s.Told > 0 && s.N >= growth*s.Told:
			s = r.stories.Change(key)
			if s.Told == 0 {
				s.Began = s.First
			}
			s.Told = s.N
			r.tell(ctx, s, 0, out)
		}
	}
}

type fold struct{ r *Retry }

// Step implements stream.Fold.
func (f fold) Step(ctx stream.Ctx, _ string, t *Tries, ev event.Event, _ *stream.Out) {
	a := ev.(*event.Attempt)
	if t.Errors > 0 && a.OccurredAt >= t.At {
		f.judge(ctx, t, a)
	}
	if !a.Failed() {
		*t = Tries{}
		return
	}
	if t.Errors == 0 {
		t.Since = a.OccurredAt
	}
	t.Errors++
	t.At, t.Until = max(t.At, a.OccurredAt), max(ctx.Now, a.OccurredAt)+keep
	t.NotBefore, t.Unknown = 0, a.Operation == event.OpCreate && ambiguous(a.Status)
	if v, ok := event.Find(a.Headers, "retry-after"); ok {
		if seconds, err := strconv.ParseInt(strings.TrimSpace(v.Text), 10, 64); err == nil && seconds > 0 {
			t.NotBefore = a.OccurredAt + event.Time(seconds)*event.Second
		}
	}
	if a.Verdict != nil && a.Verdict.Recoverability == event.Permanent && !a.Verdict.Collateral {
		t.Permanent++
	}
}

// judge is what a further try after a failure does.
func (f fold) judge(ctx stream.Ctx, t *Tries, a *event.Attempt) {
	if t.Unknown && a.Operation == event.OpCreate && a.IdempotencyKey == "" {
		f.r.harm(ctx, a, UnsafeCreate)
	}
	if a.OccurredAt < t.NotBefore {
		f.r.harm(ctx, a, Early)
	}
	if t.Permanent == hopeless+1 {
		f.r.harm(ctx, a, Hopeless)
	}
	if a.Failed() && t.Errors == stormTries-1 && a.OccurredAt-t.Since <= stormSpan {
		f.r.harm(ctx, a, Storm)
	}
}

// Timer implements stream.Fold.
func (fold) Timer(_ stream.Ctx, _ string, t *Tries, _ *stream.Out) { *t = Tries{} }

// ambiguous reports whether the write may have been carried out all the same.
func ambiguous(status int) bool {
	return status == 0 || status == 408 || status == 502 || status == 504
}

func (r *Retry) harm(_ stream.Ctx, a *event.Attempt, what string) {
	key := strings.Join([]string{a.Integration, a.Object, what, a.Token}, "\x1f")
	if r.stories.Get(key) == nil && len(r.stories.Keys()) >= maxStories {
		return
	}
	s := r.stories.Change(key)
	if s.N == 0 {
		*s = Story{
			Tenant: a.Tenant, Integration: a.Integration, Object: a.Object, System: a.System, Token: a.Token, What: what, First: a.OccurredAt, Example: a.RecordKey,
		}
	}
	s.N++
	s.Last = max(s.Last, a.OccurredAt)
}

var words = map[string]string{
	UnsafeCreate: "%d creates of %s were repeated after an outcome that nobody knows, without an idempotency key: duplicates in the making",
	Early:        "%d writes of %s were tried again before the time that Retry-After named",
	Hopeless:     "%d records of %s were tried again more than 3 times after a permanent error",
	Storm:        "%d records of %s failed 10 times within 10 minutes",
}

var steps = map[string]string{
	UnsafeCreate: "send an idempotency key, or upsert by an external id, then look for duplicates of the records listed",
	Early:        "wait as long as the answer's Retry-After says",
	Hopeless:     "give up after a permanent error, and mend the data or the map",
	Storm:        "back off exponentially, and give up after some tries",
}

func (r *Retry) tell(ctx stream.Ctx, s *Story, ended event.Time, out *stream.Out) {
	text := func(name, v string) event.Field { return event.Field{Name: name, Value: event.Value{Text: v}} }
	sig := &event.Signal{
		ID: event.Hash("retry", s.Integration, s.Object, s.What, s.Token, s.Began.String(), strconv.Itoa(int(ctx.Partition)),
			strconv.FormatInt(s.N, 10), ended.String()),
		Tenant: s.Tenant, Integration: s.Integration, Kind: event.SignalRetries, Sender: "retry", System: s.System, Object: s.Object, Field: s.What,
		StartedAt: s.Began, EndedAt: ended, ReceivedAt: max(ctx.Now, s.Last), Summary: fmt.Sprintf(words[s.What], s.N, s.Object), Token: s.Token,
		Detail: []event.Field{text("example", s.Example), text("first_step", steps[s.What]), text("n", strconv.FormatInt(s.N, 10)), text("what", s.What)},
	}
	out.Emit(topic.Signals, s.Integration, sig)
	heard := *sig
	out.Emit(topic.Partials, s.Tenant, &heard)
}
