package ledger

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// reference is the ledger as one would explain it: it keeps everything that
// ever happened to a record and, at every step, tells the whole story again
// from the start. It drops nothing, so what the ledger forgets too early, or
// remembers wrongly through a restart, shows as a difference.
type reference struct {
	l       *Ledger // for its maps and conversions; it folds nothing
	least   int
	History map[string][]moment
	Lessons map[string]*lessons
}

// moment is one input of a record, or a tick, and the pace at that time.
type moment struct {
	Now     event.Time
	Version uint64
	Type    event.Type
	Bytes   []byte
	Pace    [5]int64
	Quiet   bool // a tick that told nothing
}

func newReference(learnAfter int) *reference {
	return &reference{
		l: newLedger(integrations(), byStatus, learnAfter), least: learnAfter,
		History: map[string][]moment{}, Lessons: map[string]*lessons{},
	}
}

// object is what a key is about.
func (r *reference) object(key string) *mapping {
	part := strings.SplitN(key, "/", 3)
	if len(part) < 3 {
		return nil
	}
	return r.l.objects[[2]string{part[0], part[1]}]
}

func (r *reference) Step(ctx stream.Ctx, key string, ev event.Event, out *stream.Out) {
	m := r.object(key)
	a, isAttempt := ev.(*event.Attempt)
	failed := isAttempt && a.Failed()
	if failed {
		byStatus(a)
	}
	if m == nil {
		if f := (folding{ctx: ctx, out: out}); failed {
			f.failure(a, "")
		}
		return
	}
	b, err := event.Encode(nil, ev)
	if err != nil {
		panic(err)
	}
	before := r.tell(key)
	now := moment{ctx.Now, ctx.Version, ev.EventType(), b, r.pace(m), false}
	if failed {
		before.pace = now.Pace
		f := folding{ctx: ctx, out: out}
		f.failure(a, before.holdsUp(a))
	}
	r.History[key] = append(r.History[key], now)
	after := r.tell(key)
	for _, claim := range after.claims {
		claim.Version = ctx.Version
		out.Emit("plumbline.failures", key, claim)
	}
	r.learn(m, ev, after.clock, before.news(after, key, out))
	after.utter(key, out)
}

// utter tells what a moment made known beside deliveries.
func (s *story) utter(key string, out *stream.Out) {
	for _, ev := range s.said {
		switch ev.(type) {
		case *event.Divergence:
			out.Emit("plumbline.divergences", key, ev)
		case *event.Failure:
			out.Emit("plumbline.failures", key, ev)
		case *event.Check:
			out.Emit("plumbline.checks", key, ev)
		}
	}
}

func (r *reference) Tick(ctx stream.Ctx, out *stream.Out) {
	for _, key := range slices.Sorted(maps.Keys(r.History)) {
		before, told := r.tell(key), len(out.List)
		h := r.History[key]
		r.History[key] = append(h, moment{ctx.Now, ctx.Version, event.TypeTick, nil, r.pace(r.object(key)), false})
		after := r.tell(key)
		before.news(after, key, out)
		after.utter(key, out)
		if len(out.List) > told {
			continue
		}
		now := &r.History[key][len(h)]
		if now.Quiet = true; len(h) > 0 && h[len(h)-1].Quiet {
			r.History[key] = append(h[:len(h)-1], *now) // two ticks that tell nothing are one
		}
	}
}

func (r *reference) Save(emit stream.Emit) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return emit("all", b)
}

func (r *reference) Rewrite(int, stream.Emit) (bool, error) { return true, nil }

func (r *reference) Load(_ string, value []byte) error {
	r.History, r.Lessons = map[string][]moment{}, map[string]*lessons{}
	return json.Unmarshal(value, r)
}
