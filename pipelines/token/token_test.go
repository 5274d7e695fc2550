package token

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// world is one credential's life in a vendor's log.
type world struct {
	t     *testing.T
	op    stream.Operator
	now   event.Time
	n     int
	found []*event.Signal
	log   map[string][]byte
	rng   *rand.Rand
}

func newWorld(t *testing.T) *world {
	return &world{t: t, op: New(), now: 1_767_600_000_000, log: map[string][]byte{}, rng: rand.New(rand.NewPCG(5, 6))}
}

func (w *world) step(ev event.Event) {
	w.n++
	var out stream.Out
	w.op.Step(stream.Ctx{Now: w.now, Version: uint64(w.n)}, "t1", ev, &out)
	for i := range out.List {
		s := out.List[i].Event.(*event.Signal)
		require.NoError(w.t, s.Validate())
		w.found = append(w.found, s)
	}
	if w.n%500 == 0 { // killed and restored
		fresh := New()
		require.NoError(w.t, w.op.Save(func(key string, value []byte) error {
			w.log[strings.Clone(key)] = append([]byte(nil), value...)
			return nil
		}))
		for key, value := range w.log {
			require.NoError(w.t, fresh.Load(key, value))
		}
		w.op = fresh
	}
}

func (w *world) access(op, object, network, client string, rows int64) {
	w.step(&event.Access{
		ID: strconv.Itoa(w.n), Tenant: "t1", System: "salesforce", Token: "drift", At: w.now, Operation: op, Object: object,
		Rows: rows, Network: network, Agent: client,
	})
}

// ordinary is one hour of an integration at work: office hours busier, the
// same few objects, two networks.
func (w *world) ordinary() {
	busy := 3
	if h := int64(w.now) / event.Hour % 24; h > 7 && h < 20 {
		busy = 20
	}
	for range busy {
		object := []string{"Contact", "Lead", "Account"}[w.rng.IntN(3)]
		network := []string{"34.10.2.0/24", "34.10.3.0/24"}[w.rng.IntN(2)]
		if w.rng.IntN(4) == 0 {
			w.access(event.AccessWrite, object, network, "drift-sync/2.1", 1)
		} else {
			w.access(event.AccessQuery, object, network, "drift-sync/2.1", int64(w.rng.IntN(200)))
		}
		w.now += event.Hour / event.Time(busy)
	}
}

func kinds(s *event.Signal) string {
	v, _ := event.Find(s.Detail, "findings")
	return v.Text
}

func score(s *event.Signal) int {
	v, _ := event.Find(s.Detail, "score")
	n, _ := strconv.Atoi(v.Text)
	return n
}

// August 2025: a stolen token, used from elsewhere with a script, sweeps
// objects, exports them and deletes the query jobs.
func TestStolenTokenSweepsAndExports(t *testing.T) {
	w := newWorld(t)
	for range 24 * 20 {
		w.ordinary()
	}
	require.Empty(t, w.found, "ordinary days")
	began := w.now
	objects := []string{"Account", "Opportunity", "User", "Case", "Contract", "Asset", "Order", "Task", "Event"}
	for i, object := range objects {
		w.access(event.AccessQuery, object, "185.220.101.0/24", "python-requests/2.32.4", 2000)
		w.now += event.Minute
		if len(w.found) > 0 && score(w.found[len(w.found)-1]) >= Severe {
			t.Logf("severe after %d calls, %s: %s", i+1, kinds(w.found[len(w.found)-1]), w.found[len(w.found)-1].Summary)
			break
		}
	}
	w.access(event.AccessExport, "Case", "185.220.101.0/24", "python-requests/2.32.4", 80_000)
	w.access(event.AccessJobDelete, "", "185.220.101.0/24", "python-requests/2.32.4", 0)
	last := w.found[len(w.found)-1]
	for _, want := range []string{"new_network", "new_client", "sweep", "export", "traces_removed"} {
		require.Contains(t, kinds(last), want)
	}
	require.Equal(t, "drift", last.Token)
	require.GreaterOrEqual(t, score(last), 2*Severe)
	require.LessOrEqual(t, w.found[0].ReceivedAt-began, event.Time(10*event.Minute))
	require.Equal(t, Strange, score(w.found[0]), "told as soon as it is strange")
}

func TestRotatedTokenStillUsed(t *testing.T) {
	w := newWorld(t)
	w.ordinary()
	w.step(&event.Signal{ID: "r", Tenant: "t1", Kind: event.SignalTokenRotation, System: "salesforce", Token: "drift", StartedAt: w.now})
	w.now += grace - 1
	w.access(event.AccessQuery, "Lead", "34.10.2.0/24", "drift-sync/2.1", 1)
	require.Empty(t, w.found, "what is under way may end")
	w.now += 1
	w.access(event.AccessQuery, "Lead", "34.10.2.0/24", "drift-sync/2.1", 1)
	require.Len(t, w.found, 1)
	require.Equal(t, usedAfterRotation, kinds(w.found[0]))
	require.GreaterOrEqual(t, score(w.found[0]), Severe)
	w.access(event.AccessQuery, "Lead", "34.10.2.0/24", "drift-sync/2.1", 1)
	require.Len(t, w.found, 1, "told once a day")
	w.now += event.Day + event.Minute
	w.access(event.AccessQuery, "Lead", "34.10.2.0/24", "drift-sync/2.1", 1)
	require.Len(t, w.found, 2)
}

// Half a year of work: a new network now and then, a new object, a busier day.
func TestOrdinaryLifeIsNotStrange(t *testing.T) {
	w := newWorld(t)
	for hour := range 24 * 182 {
		w.ordinary()
		switch {
		case hour%(24*25) == 24*24:
			w.access(event.AccessQuery, "Lead", fmt.Sprintf("34.10.%d.0/24", 10+hour/600), "drift-sync/2.1", 10)
		case hour%(24*40) == 24*39:
			w.access(event.AccessQuery, fmt.Sprint("Custom", hour, "__c"), "34.10.2.0/24", "drift-sync/2.1", 10)
		case hour%(24*60) == 24*59:
			w.access(event.AccessQuery, "Lead", "34.10.2.0/24", fmt.Sprint("drift-sync/2.", hour), 10)
		case hour%(24*30) == 24*29:
			w.access(event.AccessQuery, "Lead", "34.10.2.0/24", "drift-sync/2.1", 9_000)
		}
	}
	for _, s := range w.found {
		t.Log(kinds(s), s.Summary)
	}
	require.Empty(t, w.found)
}

func TestNothingIsStrangeWhileLearning(t *testing.T) {
	w := newWorld(t)
	for i := range learnLines {
		w.access(event.AccessQuery, fmt.Sprint("o", i), fmt.Sprint("n", i), fmt.Sprint("c", i), 1_000_000)
	}
	require.Empty(t, w.found)
}

// For everyone, without a vendor's log: the counter shows calls nobody made.
func TestUnexplainedCalls(t *testing.T) {
	w := newWorld(t)
	used := make([]int64, 0, 1000)
	reading := func(extra int64) {
		var known int64
		for range 10 {
			w.step(&event.Activity{Tenant: "t1", Integration: "hs-sf", System: "salesforce", Second: w.now, Attempts: 20, Reads: 10})
			known += 30
			w.now += event.Hour / 10
		}
		used = append(used, known+200+extra) // 200 of somebody else, always
		var window int64
		for _, u := range used[max(0, len(used)-24):] {
			window += u
		}
		w.step(&event.Signal{
			ID: fmt.Sprint(w.n), Tenant: "t1", Kind: event.SignalUsage, System: "salesforce", StartedAt: w.now,
			Detail: []event.Field{
				{Name: "max", Value: event.Value{Text: "100000"}},
				{Name: "own", Value: event.Value{Text: "0"}},
				{Name: "used", Value: event.Value{Text: strconv.FormatInt(window, 10)}},
			},
		})
	}
	for range 24 * 7 {
		reading(int64(w.rng.IntN(60)))
	}
	require.Empty(t, w.found)
	hours := 0
	for ; hours < 24 && len(w.found) == 0; hours++ {
		reading(1000)
	}
	require.Len(t, w.found, 1)
	require.Equal(t, "unexplained_calls", kinds(w.found[0]))
	require.Empty(t, w.found[0].Token, "the counter does not name who")
	require.LessOrEqual(t, hours, 4)
	require.True(t, strings.HasSuffix(w.found[0].Summary, "at most"), w.found[0].Summary)
}

func TestBrokenCountersAreNoise(t *testing.T) {
	w := newWorld(t)
	for range 300 {
		w.now += event.Hour
		w.step(&event.Signal{
			ID: fmt.Sprint(w.n), Tenant: "t1", Kind: event.SignalUsage, System: "hubspot", StartedAt: w.now,
			Detail: []event.Field{{Name: "used", Value: event.Value{Text: "many"}}},
		})
	}
	require.Empty(t, w.found)
}
