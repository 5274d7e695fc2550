package attribute

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// world is a cause that is known, and what the lines would show of it.
type world struct {
	name     string
	cause    string            // attribution that is true of the line looked at, line 0
	dead     bool              // nothing but the customer will mend it
	class    string            // of line 0's failures
	undecide []string          // "one", "one+probe", "many", "many+probe": where the evidence cannot tell, and must say so
	silent   []string          // likewise, where nothing is to be said: each failure explains itself
	data     *data             // what the answers to line 0 look like
	mistaken map[string]string // situations in which nothing tells it from another cause, and which
	within   event.Time
	call     func(w *play, line int, at event.Time) (class string, bad bool)
	refresh  func(w *play, line int, at event.Time) string // "", ok, dead, down
	probe    func(w *play, at event.Time) string
	signal   *event.Signal
}

// data is what errors of what was sent look like.
type data struct {
	status  int
	objects []string
	prints  int // how many kinds of errors
	records int
	by      string // whom the answers name
}

// play is one world with so many tenants.
type play struct {
	*world
	r       *rand.Rand
	tenants int
	probes  bool
	told    []*event.CauseVerdict // about line 0
	all     []*event.CauseVerdict
}

const (
	start  = event.Time(1_767_600_000_000)
	breaks = start + 10*event.Minute
	heals  = breaks + 40*event.Minute
	ends   = heals + 15*event.Minute
)

func during(at event.Time) bool { return at >= breaks && at < heals }

func probeOK(*play, event.Time) string { return event.ProbeOK }

func probeFails(with string) func(*play, event.Time) string {
	return func(_ *play, at event.Time) string {
		if during(at) {
			return with
		}
		return event.ProbeOK
	}
}

func everybody(class string) func(*play, int, event.Time) (string, bool) {
	return func(_ *play, _ int, at event.Time) (string, bool) { return class, during(at) }
}

func onlyFirst(class string) func(*play, int, event.Time) (string, bool) {
	return func(_ *play, line int, at event.Time) (string, bool) { return class, line == 0 && at >= breaks }
}

var everywhere = []string{"one", "one+probe", "many", "many+probe"}

func firstDuring(class string) func(*play, int, event.Time) (string, bool) {
	return func(_ *play, line int, at event.Time) (string, bool) { return class, line == 0 && during(at) }
}

var worlds = []world{
	{
		name: "whole provider down, as auth", cause: event.ByVendor, class: event.ClassAuth, undecide: []string{"one"}, within: 5 * event.Minute,
		call: everybody(event.ClassAuth), probe: probeFails(event.ProbeOutage),
	},
	{
		name: "whole provider down, as 5xx", cause: event.ByVendor, class: event.ClassVendorOutage, within: 2 * event.Minute,
		call: everybody(event.ClassVendorOutage), probe: probeFails(event.ProbeOutage),
	},
	{
		name: "one region, as auth", cause: event.ByVendor, class: event.ClassAuth, undecide: []string{"one"}, within: 5 * event.Minute,
		call: func(_ *play, line int, at event.Time) (string, bool) {
			return event.ClassAuth, during(at) && line%3 == 0
		},
		probe: probeFails(event.ProbeOutage),
	},
	{
		name: "mailbox: refreshes are refused in the outage", cause: event.ByVendor, class: event.ClassAuth,
		undecide: []string{"one", "one+probe"}, within: 5 * event.Minute,
		call: everybody(event.ClassAuth), probe: probeFails(event.ProbeAuth),
		refresh: func(_ *play, _ int, at event.Time) string {
			if during(at) {
				return "dead"
			}
			return "ok"
		},
	},
	{
		name: "one tenant alone, its grant revoked", cause: event.ByCustomer, dead: true, class: event.ClassAuth,
		undecide: []string{"one"}, within: 6 * event.Minute, call: onlyFirst(event.ClassAuth), probe: probeOK,
		refresh: func(_ *play, line int, at event.Time) string {
			if line == 0 && at >= breaks {
				return "dead"
			}
			return "ok"
		},
	},
	{
		name: "a token revoked during an outage", cause: event.ByCustomer, dead: true, class: event.ClassAuth,
		undecide: []string{"one"}, within: 60 * event.Minute, probe: probeFails(event.ProbeOutage),
		call: func(_ *play, line int, at event.Time) (string, bool) {
			if line == 0 && at >= breaks {
				return event.ClassAuth, true
			}
			return event.ClassVendorOutage, during(at)
		},
		refresh: func(_ *play, line int, at event.Time) string {
			switch {
			case line == 0 && at >= breaks:
				return "dead"
			case during(at):
				return "down"
			}
			return "ok"
		},
	},
	{
		name: "our own bad deploy, as auth", cause: event.ByPipeline, class: event.ClassAuth, within: 3 * event.Minute,
		call: everybody(event.ClassAuth), probe: probeOK,
		signal: &event.Signal{ID: "d", Kind: event.SignalDeploy, StartedAt: breaks - 2*event.Minute},
	},
	{
		name: "our own bad deploy, as schema", cause: event.ByPipeline, class: event.ClassSchema, within: 5 * event.Minute,
		call: everybody(event.ClassSchema), probe: probeOK,
		signal: &event.Signal{ID: "d", Kind: event.SignalDeploy, StartedAt: breaks - 2*event.Minute},
	},
	{
		name: "our own deploy nobody announced, as auth", cause: event.ByPipeline, class: event.ClassAuth,
		undecide: []string{"one"}, within: 5 * event.Minute, call: everybody(event.ClassAuth), probe: probeOK,
		mistaken: map[string]string{"one+probe": event.ByCustomer, "many": event.ByVendor},
	},
	{
		name: "our own deploy nobody announced, refused as schema", cause: event.ByPipeline, class: event.ClassSchema,
		silent: []string{"one"}, within: 5 * event.Minute, call: firstDuring(event.ClassSchema), probe: probeOK,
		data: &data{status: 422, objects: []string{"contact", "company", "deal"}, prints: 1, records: 40, by: event.ByPipeline},
	},
	{
		name: "our own deploy nobody announced, refused as 404", cause: event.ByPipeline, class: event.ClassOther,
		silent: []string{"one"}, within: 5 * event.Minute, call: firstDuring(event.ClassOther), probe: probeOK,
		data: &data{status: 404, objects: []string{"contact", "deal"}, prints: 1, records: 40, by: event.ByUnknown},
	},
	{
		name: "a field of one object was made mandatory", class: event.ClassSchema, silent: everywhere,
		call: firstDuring(event.ClassSchema), probe: probeOK,
		data: &data{status: 400, objects: []string{"contact"}, prints: 1, records: 40, by: event.ByPipeline},
	},
	{
		name: "records that are wrong in many ways", class: event.ClassSchema, silent: everywhere,
		call: firstDuring(event.ClassSchema), probe: probeOK,
		data: &data{status: 400, objects: []string{"contact", "company"}, prints: 5, records: 40, by: event.ByPipeline},
	},
	{
		name: "three records that are sent over and over", class: event.ClassSchema, silent: everywhere,
		call: firstDuring(event.ClassSchema), probe: probeOK,
		data: &data{status: 400, objects: []string{"contact", "company"}, prints: 1, records: 3, by: event.ByPipeline},
	},
	{
		name: "some of a good many calls carry the same mistake", class: event.ClassSchema, silent: everywhere,
		call: func(w *play, line int, at event.Time) (string, bool) {
			return event.ClassSchema, line == 0 && during(at) && w.r.IntN(2) == 0
		},
		probe: probeOK,
		data:  &data{status: 400, objects: []string{"contact", "company"}, prints: 1, records: 40, by: event.ByPipeline},
	},
	{
		name: "the vendor changes its API for everybody, reading aside", cause: event.ByVendor, class: event.ClassSchema,
		silent: []string{"one", "many", "many+probe"}, mistaken: map[string]string{"one+probe": event.ByPipeline},
		call: everybody(event.ClassSchema), probe: probeOK,
		data: &data{status: 400, objects: []string{"contact", "company"}, prints: 1, records: 40, by: event.ByPipeline},
	},
	{
		name: "flapping, as auth", cause: event.ByVendor, class: event.ClassAuth, within: 8 * event.Minute,
		call: func(_ *play, _ int, at event.Time) (string, bool) {
			return event.ClassAuth, during(at) && at/(90*event.Second)%2 == 0
		},
		probe: probeFails(event.ProbeOK),
	},
	{
		name: "brown-out, three in ten fail", cause: event.ByVendor, class: event.ClassVendorOutage, within: 3 * event.Minute,
		call: func(w *play, _ int, at event.Time) (string, bool) {
			return event.ClassVendorOutage, during(at) && w.r.IntN(10) < 3
		},
		probe: probeFails(event.ProbeOutage),
	},
}

// run plays a world: each line calls about every ten seconds, refreshes every
// four minutes, and our own credential is tried every minute.
//
// Tenants are spread over four partitions, which exchange how widely they fail.
func (w *play) run() {
	ops := []*Attribute{New(), New(), New(), New()}
	var out stream.Out
	at := start
	var hear func()
	hear = func() {
		list := slices.Clone(out.List)
		out.List = out.List[:0]
		for _, o := range list {
			switch v := o.Event.(type) {
			case *event.CauseVerdict:
				w.heard(v)
			case *event.Breadth:
				ops[partition(o.Key)].Step(stream.Ctx{Now: at}, o.Key, v, &out)
			}
		}
		if len(out.List) > 0 {
			hear()
		}
	}
	for _, a := range ops {
		if w.signal != nil {
			a.Step(stream.Ctx{}, "", w.signal, &out)
		}
	}
	for ; at < ends; at += event.Second {
		for line := range w.tenants {
			a := ops[partition(fmt.Sprintf("t%d", line))]
			if w.r.IntN(10) == 0 {
				a.Step(stream.Ctx{Now: at}, "", w.second(line, at), &out)
			}
			if w.refresh != nil && (at/event.Second+event.Time(line*7))%240 == 0 {
				a.Step(stream.Ctx{Now: at}, "", refreshing(line, at, w.refresh(w, line, at)), &out)
			}
		}
		for _, a := range ops {
			if w.probes && at/event.Second%60 == 30 {
				a.Step(stream.Ctx{Now: at}, "", &event.Signal{
					ID: "p", Kind: event.SignalProbe, System: "crm", StartedAt: at,
					Detail: []event.Field{{Name: "result", Value: event.Value{Text: w.probe(w, at)}}},
				}, &out)
			}
			a.Tick(stream.Ctx{Now: at}, &out)
		}
		hear()
	}
}

func partition(key string) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % 4)
}

func (w *play) heard(v *event.CauseVerdict) {
	w.all = append(w.all, v)
	if v.Integration == "i0" && v.Class == w.class {
		w.told = append(w.told, v)
	}
}

func (w *play) second(line int, at event.Time) *event.Partial {
	class, bad := w.call(w, line, at)
	p := partialOf(line, at)
	if !bad {
		p.Attempts = []event.AttemptCount{{Operation: event.OpUpdate, Outcome: event.OutcomeOK, N: 1}}
		return p
	}
	f := event.FailureCount{Class: class, Recoverability: event.Temporary, Attribution: event.ByUnknown, N: 1, First: at, Operation: event.OpUpdate}
	if class == event.ClassVendorOutage {
		f.Attribution = event.ByVendor
	}
	if w.data != nil {
		w.data.fill(w.r, p, &f)
	}
	p.Failures = []event.FailureCount{f}
	return p
}

func (d *data) fill(r *rand.Rand, p *event.Partial, f *event.FailureCount) {
	p.Object = d.objects[r.IntN(len(d.objects))]
	f.Status, f.Recoverability, f.Attribution = d.status, event.Permanent, d.by
	f.Fingerprint = fmt.Sprint("print", r.IntN(d.prints))
	f.Records = []string{fmt.Sprint("record", r.IntN(d.records))}
}

func partialOf(line int, at event.Time) *event.Partial {
	id := fmt.Sprint(line)
	return &event.Partial{Tenant: "t" + id, Integration: "i" + id, Token: "k" + id, Provider: "crm", Object: "contact", Second: at}
}

func refreshing(line int, at event.Time, result string) *event.Partial {
	p := partialOf(line, at)
	p.Object = ""
	switch result {
	case "ok":
		p.Attempts = []event.AttemptCount{{Operation: event.OpAuthRefresh, Outcome: event.OutcomeOK, N: 1}}
	case "dead":
		p.Failures = []event.FailureCount{{
			Class: event.ClassAuth, Recoverability: event.Permanent, Attribution: event.ByCustomer, N: 1, First: at, Operation: event.OpAuthRefresh,
		}}
	case "down":
		p.Failures = []event.FailureCount{{
			Class: event.ClassVendorOutage, Recoverability: event.Temporary, Attribution: event.ByVendor, N: 1, First: at, Operation: event.OpAuthRefresh,
		}}
	}
	return p
}

// decision is when line 0 was first decided rightly, and the last word while
// it lasted.
func (w *play) decision() (after event.Time, last *event.CauseVerdict) {
	after = -1
	for _, v := range w.told {
		if v.End > 0 && !w.dead {
			continue
		}
		last = v
		if after < 0 && v.Decided && v.Attribution == w.cause {
			after = v.DecidedAt - breaks
		}
	}
	return after, last
}

// Every cause, with one tenant and with twelve, with our own credential to try
// and without: it is attributed rightly, or said to be undecided; and nothing
// that passes is ever told as permanent.
func TestWorlds(t *testing.T) {
	sure := map[string]*[2]int{} // confidence to verdicts, right ones
	t.Cleanup(func() { calibration(t, sure) })
	for i := range worlds {
		for _, tenants := range []int{1, 12} {
			for _, probes := range []bool{false, true} {
				w := &worlds[i]
				situation := map[int]string{1: "one", 12: "many"}[tenants]
				if probes {
					situation += "+probe"
				}
				t.Run(w.name+"/"+situation, func(t *testing.T) {
					worst := event.Time(0)
					for seed := range uint64(2) {
						p := &play{world: w, r: rand.New(rand.NewPCG(seed, 1)), tenants: tenants, probes: probes}
						p.run()
						worst = max(worst, p.check(t, situation))
						p.count(sure, w.mistaken[situation] != "")
					}
					if worst > 0 {
						t.Logf("decided at the latest after %d s", worst/event.Second)
					}
				})
			}
		}
	}
}

func (w *play) check(t *testing.T, situation string) event.Time {
	t.Helper()
	for _, v := range w.all {
		require.True(t, v.Recoverability == event.Temporary || w.dead && v.Integration == "i0",
			"a failure that passes is told as permanent: %s", v.Evidence)
		require.NotEmpty(t, v.FirstStep)
	}
	after, last := w.decision()
	if slices.Contains(w.silent, situation) {
		require.Nil(t, last, "told on too little: %+v", last)
		return 0
	}
	require.NotNil(t, last, "nothing was told")
	if wrong := w.mistaken[situation]; wrong != "" {
		require.Equal(t, wrong, last.Attribution, "better than was thought: say so here")
		return 0
	}
	if slices.Contains(w.undecide, situation) {
		require.False(t, last.Decided, "decided as %s on too little: %s", last.Attribution, last.Evidence)
		require.Contains(t, last.FirstStep, "do not disconnect")
		return 0
	}
	require.Equal(t, w.cause, last.Attribution, "%s", last.Evidence)
	require.True(t, after >= 0 && after <= w.within, "decided after %d s, want %d", after/event.Second, w.within/event.Second)
	if w.dead {
		require.Equal(t, event.Permanent, last.Recoverability, "%s", last.Evidence)
	}
	return after
}

// count adds each decided verdict of every line, under its confidence; those
// of situations that look like another cause are counted apart.
func (w *play) count(sure map[string]*[2]int, known bool) {
	for _, v := range w.all {
		if !v.Decided || v.Integration == "" || v.Class != w.class || v.End > 0 {
			continue
		}
		bucket := fmt.Sprintf("%.2f", float64(int(v.Confidence*20))/20)
		if known {
			bucket = "any, in situations that nothing tells apart"
		}
		if sure[bucket] == nil {
			sure[bucket] = &[2]int{}
		}
		sure[bucket][0]++
		if v.Attribution == w.cause {
			sure[bucket][1]++
		}
	}
}

func calibration(t *testing.T, sure map[string]*[2]int) {
	for _, bucket := range slices.Sorted(maps.Keys(sure)) {
		n := sure[bucket]
		t.Logf("confidence %s: %d verdicts, %.3f right", bucket, n[0], float64(n[1])/float64(n[0]))
	}
}
