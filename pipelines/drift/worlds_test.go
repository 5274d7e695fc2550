package drift

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

const (
	morning = event.Time(1_767_254_400_000) // 8:00
	opens   = morning + 3*event.Hour        // when what goes wrong goes wrong, at the earliest
	seeds   = 50
)

var schema = map[string][]string{
	"contact": {"email", "phone", "lifecyclestage", "city", "jobtitle"},
	"company": {"name", "industry", "numberofemployees"},
	"deal":    {"amount", "dealstage", "closedate"},
}

func objects() []string { return []string{"company", "contact", "deal"} }

func integrations() []config.Integration {
	in := config.Integration{ID: "hs-sf", Tenant: "t", Source: config.Endpoint{System: "hubspot"}, Target: config.Endpoint{System: "salesforce"}}
	for _, o := range objects() {
		obj := config.Object{Name: o, Source: o, Target: config.List[string]{strings.ToUpper(o[:1]) + o[1:]}}
		for _, f := range schema[o] {
			obj.Fields = append(obj.Fields, config.FieldMap{Source: f, Target: f + "__c"})
		}
		in.Objects = append(in.Objects, obj)
	}
	return []config.Integration{in}
}

// world is some hours of an integration in which something goes wrong, among
// events that do no harm and differences of their own.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	seed  uint64
	now   event.Time
	op    *Drift
	out   stream.Out
	told  map[string]*event.Explanation
	late  []late // confirmed a while after they began
	wrong []wrongs
	n     int
}

type late struct {
	at event.Time
	p  *event.Partial
}

// wrongs makes a share of some changes differ.
type wrongs struct {
	from, to      event.Time
	object, field string // "" = any
	by            event.Actor
	share         float64
	value         string
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 77)), now: morning, op: New(integrations()), told: map[string]*event.Explanation{},
	}
}

func (w *world) hear() {
	for _, o := range w.out.List {
		if x, ok := o.Event.(*event.Explanation); ok {
			require.NoError(w.t, x.Validate())
			w.told[x.ID] = x
			if x.Divergences == 0 {
				delete(w.told, x.ID)
			}
		}
	}
	w.out.List = w.out.List[:0]
}

func (w *world) step(ev event.Event) {
	w.n++
	w.op.Step(stream.Ctx{Now: w.now, Version: uint64(w.n)}, "t", ev, &w.out)
	w.hear()
}

// change is one that somebody made; it may come to differ, and then that is
// found out some minutes later.
func (w *world) change(by event.Actor, object string, fields ...string) {
	minute := w.now - w.now%event.Minute
	p := &event.Partial{Tenant: "t", Integration: "hs-sf", Object: object, Actor: by.Crowd(), Second: w.now, Changes: []event.ChangeCount{{Minute: minute, N: 1}}}
	for _, f := range fields {
		p.Changes = append(p.Changes, event.ChangeCount{Minute: minute, Field: f, N: 1})
		share, value := 0.004, ""
		for _, x := range w.wrong {
			if w.now >= x.from && w.now < x.to && (x.object == "" || x.object == object) && (x.field == "" || x.field == f) && (x.by.ID == "" || x.by == by) && x.share > share {
				share, value = x.share, x.value
			}
		}
		if w.rng.Float64() < share {
			w.late = append(w.late, late{w.now + event.Time(5+w.rng.IntN(6))*event.Minute, &event.Partial{
				Tenant: "t", Integration: "hs-sf", Object: object, Divergences: []event.DivergenceCount{{
					Field: f, Kind: event.ValueMismatch, State: event.DivergenceConfirmed, N: 1, Began: minute, By: by.Crowd(), Value: value, ValueN: 1,
				}},
			}})
		}
	}
	w.step(p)
	if machine(by) {
		w.step(&event.Activity{Tenant: "t", Integration: "hs-sf", Object: object, Actor: by, Second: w.now, Writes: 1, First: w.now, Last: w.now})
	}
}

func (w *world) signal(kind, object, field string, set func(*event.Signal)) *event.Signal {
	w.n++
	s := &event.Signal{
		ID: fmt.Sprint("s", w.n, "-", kind), Tenant: "t", Integration: "hs-sf", Kind: kind, Object: object, Field: field, StartedAt: w.now, ReceivedAt: w.now,
		Summary: kind + " " + object + " " + field,
	}
	if set != nil {
		set(s)
	}
	w.step(s)
	return s
}

// harmless events are on every timeline.
func (w *world) harmless() {
	o := objects()[w.rng.IntN(3)]
	switch w.rng.IntN(5) {
	case 0:
		w.signal(event.SignalDeploy, "", "", nil)
	case 1:
		w.signal(event.SignalTokenRotation, "", "", nil)
	default:
		w.signal(event.SignalSchemaChange, o, schema[o][w.rng.IntN(len(schema[o]))], nil)
	}
}

var (
	people  = event.Actor{Kind: event.ActorUser, ID: "ana"}
	steady  = event.Actor{Kind: event.ActorAgent, ID: "enricher", Run: "daily"}
	rogue   = event.Actor{Kind: event.ActorAgent, ID: "cleaner", Run: "r7"}
	listed  = event.Actor{Kind: event.ActorImport, ID: "IMPORT", Run: "i9"}
	harmful = func(from event.Time, object, field string) wrongs {
		return wrongs{from: from, to: from + 100*event.Hour, object: object, field: field, share: 0.5}
	}
)

// play runs the world for some hours; what is planned happens at its minute.
func (w *world) play(length event.Time, plan map[event.Time]func()) {
	quietAt := morning + event.Time(w.rng.IntN(int(length/event.Minute)))*event.Minute
	other := morning + event.Time(w.rng.IntN(int(length/event.Minute)))*event.Minute
	for ; w.now < morning+length; w.now += 30 * event.Second {
		if do := plan[w.now]; do != nil {
			do()
		}
		if w.now == quietAt || w.now == other {
			w.harmless()
		}
		for range 1 + w.rng.IntN(4) {
			o := objects()[w.rng.IntN(3)]
			by := people
			if w.rng.IntN(8) == 0 {
				by = steady
			}
			fields := slices.Clone(schema[o])
			w.rng.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
			w.change(by, o, fields[:1+w.rng.IntN(2)]...)
		}
		w.tick()
	}
}

func (w *world) tick() {
	w.late = slices.DeleteFunc(w.late, func(l late) bool {
		if l.at <= w.now {
			w.step(l.p)
		}
		return l.at <= w.now
	})
	if w.n++; w.now%(5*event.Minute) != 0 { // often enough to see, seldom enough for 50 worlds
		return
	}
	w.op.Tick(stream.Ctx{Now: w.now, Version: uint64(w.n)}, &w.out)
	w.hear()
}

// first are the causes ranked first, by where: "contact.phone" or a wider one.
func (w *world) first() map[string]*event.Explanation {
	out := map[string]*event.Explanation{}
	for _, x := range w.told {
		if x.Rank == 1 && x.Kind != event.CauseUnexplained {
			out[x.Kind] = x
		}
	}
	return out
}

// act is one cause: what happens, the kind to be ranked first and where.
type act struct {
	name, kind, at string
	plan           func(w *world, at event.Time) map[event.Time]func()
}

func acts() []act {
	return []act{
		{"picklist value removed", event.SignalPicklistChange, "contact.lifecyclestage", func(w *world, at event.Time) map[event.Time]func() {
			return map[event.Time]func(){at: func() {
				x := harmful(at, "contact", "lifecyclestage")
				x.value = "Nurture"
				w.wrong = append(w.wrong, x)
				w.signal(event.SignalPicklistChange, "Contact", "lifecyclestage__c", func(s *event.Signal) {
					s.Summary = "'Nurture' left the salesforce picklist"
					s.Detail = []event.Field{{Name: "removed", Value: event.Value{Text: "Nurture"}}}
				})
			}}
		}},
		{"field renamed", event.SignalSchemaChange, "contact.jobtitle", func(w *world, at event.Time) map[event.Time]func() {
			return map[event.Time]func(){at: func() {
				w.wrong = append(w.wrong, harmful(at, "contact", "jobtitle"))
				w.signal(event.SignalSchemaChange, "contact", "jobtitle", nil)
			}}
		}},
		{"mapping change", event.SignalMappingChange, "deal.", func(w *world, at event.Time) map[event.Time]func() {
			return map[event.Time]func(){at: func() {
				w.wrong = append(w.wrong, wrongs{from: at, to: at + 100*event.Hour, object: "deal", share: 0.4})
				w.signal(event.SignalMappingChange, "deal", "", nil)
			}}
		}},
		{"one agent's bulk edit", event.SignalAgentRun, "company.industry", func(w *world, at event.Time) map[event.Time]func() {
			w.wrong = append(w.wrong, wrongs{from: at, to: at + event.Hour, by: rogue, share: 0.6})
			return repeat(at, 40, func() { w.change(rogue, "company", "industry") })
		}},
		{"vendor outage", event.CauseVerdictKind, "", func(w *world, at event.Time) map[event.Time]func() {
			w.wrong = append(w.wrong, wrongs{from: at, to: at + 30*event.Minute, share: 0.5})
			v := &event.CauseVerdict{
				ID: "v1", Tenant: "t", Integration: "hs-sf", Provider: "salesforce", Class: event.ClassVendorOutage, Attribution: event.ByVendor,
				Recoverability: event.Temporary, Decided: true, Start: at,
			}
			over := *v
			over.End = at + 30*event.Minute
			return map[event.Time]func(){at + event.Minute: func() { w.step(v) }, at + 31*event.Minute: func() { w.step(&over) }}
		}},
		{"import", event.SignalBulkImport, "contact.", func(w *world, at event.Time) map[event.Time]func() {
			w.wrong = append(w.wrong, wrongs{from: at, to: at + event.Hour, by: listed, field: "city", share: 0.6})
			plan := repeat(at, 60, func() { w.change(listed, "contact", "city", "email") })
			begin := plan[at]
			plan[at] = func() {
				w.signal(event.SignalBulkImport, "contact", "", func(s *event.Signal) { s.Actor = listed })
				begin()
			}
			return plan
		}},
	}
}

func repeat(at event.Time, n int, do func()) map[event.Time]func() {
	plan := map[event.Time]func(){}
	for i := range n {
		plan[at+event.Time(i)*30*event.Second] = do
	}
	return plan
}

// right reports whether the act is ranked first where it did harm.
func right(told map[string]*event.Explanation, a act) bool {
	for _, x := range told {
		if x.Rank == 1 && x.Kind == a.kind && strings.HasPrefix(x.Object+"."+x.Field, a.at) {
			return true
		}
	}
	return false
}

func starts(w *world) event.Time {
	return opens + event.Time(w.rng.IntN(60))*event.Minute
}

// Injected causes are ranked first in at least 90 % of 50 worlds each.
func TestCausesAreRankedFirst(t *testing.T) {
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			found, more := 0, 0
			for seed := range uint64(seeds) {
				w := newWorld(t, seed)
				w.play(6*event.Hour, a.plan(w, starts(w)))
				if right(w.told, a) {
					found++
				}
				more += len(w.first()) - 1
			}
			t.Logf("first in %d of %d worlds, %d others blamed", found, seeds, more)
			require.GreaterOrEqual(t, found, seeds*9/10)
			require.LessOrEqual(t, more, seeds/10)
		})
	}
}

func TestTwoCausesAtOnce(t *testing.T) {
	all := acts()
	for i := range all {
		a, b := all[i], all[(i+3)%len(all)]
		if i == 1 || i == 4 { // the outage beside a field of its own
			b = all[0]
		}
		t.Run(a.name+" and "+b.name, func(t *testing.T) {
			t.Parallel()
			found := 0
			for seed := range uint64(seeds) {
				w := newWorld(t, seed+1000)
				at := starts(w)
				plan := a.plan(w, at)
				for k, do := range b.plan(w, at+7*event.Minute) {
					if before := plan[k]; before != nil {
						plan[k] = func() { before(); do() }
					} else {
						plan[k] = do
					}
				}
				w.play(6*event.Hour, plan)
				if right(w.told, a) && right(w.told, b) {
					found++
				}
			}
			t.Logf("both first in %d of %d worlds", found, seeds)
			require.GreaterOrEqual(t, found, seeds*9/10)
		})
	}
}

// Where something breaks and nothing on the timeline fits, that is said.
func TestUnexplained(t *testing.T) {
	said, blamed := 0, 0
	for seed := range uint64(seeds) {
		w := newWorld(t, seed+2000)
		w.wrong = append(w.wrong, harmful(starts(w), "contact", "phone"))
		w.play(6*event.Hour, nil)
		for _, x := range w.told {
			if x.Kind == event.CauseUnexplained && x.Object == "contact" && x.Field == "phone" {
				said++
			}
		}
		blamed += len(w.first())
	}
	t.Logf("said in %d of %d worlds, %d harmless events blamed", said, seeds, blamed)
	require.GreaterOrEqual(t, said, seeds*9/10)
	require.LessOrEqual(t, blamed, seeds/10)
}

func TestQuietWorldsBlameNobody(t *testing.T) {
	blamed := 0
	for seed := range uint64(seeds) {
		w := newWorld(t, seed+3000)
		w.play(6*event.Hour, nil)
		blamed += len(w.first())
	}
	require.LessOrEqual(t, blamed, seeds/20)
}

// differs tells at once of records that differ since now.
func (w *world) differs(n int64, set func(*event.DivergenceCount)) {
	c := event.DivergenceCount{Kind: event.Stale, State: event.DivergenceConfirmed, N: n, Began: w.now - w.now%event.Minute}
	set(&c)
	w.step(&event.Partial{Tenant: "t", Integration: "hs-sf", Object: "contact", Divergences: []event.DivergenceCount{c}})
}

// What the target refused for a field explains what it refused with it: other
// fields of the write, and records that were not made.
func TestRefusedTogether(t *testing.T) {
	w := newWorld(t, 7)
	plan := acts()[0].plan(w, opens)
	for i := range event.Time(10) {
		plan[opens+(5+i)*event.Minute] = func() {
			w.differs(1, func(c *event.DivergenceCount) {
				c.Kind, c.Refused, c.RefusedAs = event.MissingInTarget, "lifecyclestage", event.ClassSchema
			})
			w.differs(1, func(c *event.DivergenceCount) {
				c.Field, c.Refused, c.RefusedAs = "phone", "lifecyclestage", event.ClassSchema
			})
		}
	}
	w.play(6*event.Hour, plan)
	require.True(t, right(w.told, acts()[0]))
	for _, x := range w.told {
		if x.Kind == event.CauseUnexplained {
			require.NotContains(t, []string{"", "phone"}, x.Field, x.Sentence)
		}
	}
}

// Few differences of an outage are ever confirmed, too few for an interval. The
// answers to their writes tell, whatever class they looked like.
func TestVerdictWithWitnesses(t *testing.T) {
	for class, want := range map[string]bool{event.ClassAuth: true, event.ClassSchema: false} {
		w := newWorld(t, 8)
		begun, plan := morning+20*event.Minute, map[event.Time]func(){}
		for i := range event.Time(4) {
			plan[begun+(3+i)*event.Minute] = func() {
				w.differs(1, func(c *event.DivergenceCount) { c.Field, c.RefusedAs = schema["contact"][i], class })
			}
		}
		plan[begun+15*event.Minute] = func() {
			w.step(&event.CauseVerdict{
				ID: "v", Tenant: "t", Integration: "hs-sf", Provider: "salesforce", Class: event.ClassVendorOutage, Attribution: event.ByVendor, Decided: true,
				Start: begun, End: begun + 14*event.Minute,
			})
		}
		w.play(40*event.Minute, plan)
		x := w.first()[event.CauseVerdictKind]
		require.Equal(t, want, x != nil, class)
		if want {
			require.Contains(t, x.Sentence, "so it answered to 4 of these writes")
		}
	}
}

// Who wrote while the target let nobody in is not to blame for what was refused.
func TestTheMakerIsNotWhyTheTargetLetsNobodyIn(t *testing.T) {
	for class, want := range map[string]bool{event.ClassRateLimit: false, event.ClassSchema: true} {
		w, plan := newWorld(t, 9), map[event.Time]func(){}
		agent := event.Actor{Kind: event.ActorAgent, ID: "loop", Run: "r1"}
		for i := range event.Time(12) {
			plan[opens+i*event.Minute] = func() {
				for range 4 {
					w.change(agent, "contact", "city")
				}
				w.differs(3, func(c *event.DivergenceCount) { c.Field, c.By, c.RefusedAs = "city", agent, class })
			}
		}
		w.play(4*event.Hour, plan)
		blamed := false
		for _, x := range w.told {
			blamed = blamed || x.By == agent
		}
		require.Equal(t, want, blamed, class)
	}
}

// A workflow that wrote well before and after is not blamed for a bad quarter of an
// hour that hits everybody, though it was hit harder; it is, where it alone was.
func TestAMakerThatWroteWellBeforeAndAfter(t *testing.T) {
	flow := event.Actor{Kind: event.ActorAutomation, ID: "workflow-1"}
	for alone, want := range map[bool]bool{true: true, false: false} {
		w, plan := newWorld(t, 11), map[event.Time]func(){}
		for at := morning; at < morning+6*event.Hour; at += event.Minute {
			plan[at] = func() { w.change(flow, "contact", "city"); w.change(flow, "contact", "phone") }
		}
		w.wrong = append(w.wrong, wrongs{from: opens, to: opens + 15*event.Minute, by: flow, share: 0.6})
		if !alone {
			w.wrong = append(w.wrong, wrongs{from: opens, to: opens + 15*event.Minute, share: 0.2})
		}
		w.play(6*event.Hour, plan)
		blamed := false
		for _, x := range w.told {
			blamed = blamed || x.By == flow
		}
		require.Equal(t, want, blamed, "alone: %v", alone)
	}
}

// The state may be cut off and restored anywhere: the same is said.
func TestRestored(t *testing.T) {
	run := func(cut bool) map[string]*event.Explanation {
		w := newWorld(t, 5)
		plan := acts()[0].plan(w, opens)
		if cut {
			log := map[string][]byte{}
			for i := range event.Time(6 * 60) {
				at := morning + i*event.Minute
				before := plan[at]
				plan[at] = func() {
					require.NoError(t, w.op.Save(func(key string, value []byte) error {
						log[strings.Clone(key)] = bytes.Clone(value)
						return nil
					}))
					w.op = New(integrations())
					for key, value := range log {
						if value != nil {
							require.NoError(t, w.op.Load(key, value))
						}
					}
					if before != nil {
						before()
					}
				}
			}
		}
		w.play(6*event.Hour, plan)
		return w.told
	}
	require.Equal(t, run(false), run(true))
}

func TestSentence(t *testing.T) {
	w := newWorld(t, 1)
	w.play(6*event.Hour, acts()[0].plan(w, opens))
	var found *event.Explanation
	for _, x := range w.told {
		if x.Kind == event.SignalPicklistChange && x.Rank == 1 {
			found = x
		}
	}
	require.NotNil(t, found)
	require.Regexp(t, `^\d+ of \d+ contact\.lifecyclestage divergences began (with|\d+ min after) picklist change: 'Nurture' left the salesforce picklist \(11:00 UTC on 1 Jan\); `+
		`\d+ times the risk elsewhere \([\d.]+ to \d+\)$`, found.Sentence)
	require.Contains(t, found.SQL, "field = 'lifecyclestage'")
	require.NotEmpty(t, found.FirstStep)
	t.Log(found.Sentence)
}
