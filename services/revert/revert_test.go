package revert

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

func TestMain(m *testing.M) {
	code := warehousetest.Main(m)
	if code == 0 {
		if err := goleak.Find(goleak.IgnoreTopFunction("github.com/ClickHouse/clickhouse-go/v2.(*clickhouse).startAutoCloseIdleConnections")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// story is what happened to some records, in the order it is told.
type story struct {
	t    *testing.T
	db   *warehouse.DB
	at   event.Time
	n    int
	rows map[string][]event.Event
}

var (
	ana   = event.Actor{Kind: event.ActorUser, ID: "ana"}
	robot = event.Actor{Kind: event.ActorAgent, ID: "enricher", Run: "r1"}
	other = event.Actor{Kind: event.ActorAgent, ID: "enricher", Run: "r0"}
)

func newStory(t *testing.T) *story {
	return &story{t: t, db: warehousetest.New(t), at: event.At(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)), rows: map[string][]event.Event{}}
}

func (s *story) change(by event.Actor, record, op string, fields ...string) {
	s.n++
	s.at += event.Minute
	for _, integration := range []string{"hs-sf", "hs-wh"} { // one source feeds two: one event, two rows
		c := &event.Change{
			ID: fmt.Sprint("e", s.n), Tenant: "t1", Integration: integration, Side: event.Source, System: "hubspot", Account: "1",
			Object: "contact", RecordID: record, RecordKey: record, Operation: op, ChangedAt: s.at, ReceivedAt: s.at, Actor: by,
		}
		for i := 0; i+1 < len(fields); i += 2 {
			c.Fields = append(c.Fields, event.Field{Name: fields[i], Value: event.Value{Text: fields[i+1]}})
		}
		s.rows["changes"] = append(s.rows["changes"], c)
	}
}

func (s *story) observe(record, field, value string) {
	s.n++
	s.at += event.Minute
	s.rows["observations"] = append(s.rows["observations"], &event.Observation{
		ID: fmt.Sprint("o", s.n), Tenant: "t1", Integration: "hs-sf", System: "hubspot", Object: "contact", RecordID: record, RecordKey: record,
		ObservedAt: s.at, ReceivedAt: s.at, Fields: []event.Field{{Name: field, Value: event.Value{Text: value}}},
	})
}

func (s *story) store() {
	for table, list := range s.rows {
		b := warehouse.Block{Table: warehouse.FindTable(table), QueryID: fmt.Sprint(table, s.n), Token: fmt.Sprint(table, s.n)}
		for i, ev := range list {
			b.Rows = append(b.Rows, warehouse.Row{Topic: "t", Epoch: "e", Offset: int64(s.n*1000 + i), Event: ev})
		}
		require.NoError(s.t, s.db.Insert(s.t.Context(), b))
	}
	s.rows = map[string][]event.Event{}
}

func policy(t *testing.T) *privacy.Policy {
	key, err := privacy.NewKey(make([]byte, 32))
	require.NoError(t, err)
	return privacy.NewPolicy(key, []config.Integration{})
}

func plan(s *story, q Query) (steps []Step) {
	require.NoError(s.t, Each(s.t.Context(), s.db, policy(s.t), q, func(step Step) error {
		steps = append(steps, step)
		return nil
	}))
	return steps
}

func lines(steps []Step) (out []string) {
	for _, s := range steps {
		out = append(out, fmt.Sprintf("%s %s.%s %q -> %q %s", s.Action, s.RecordID, s.Field, s.Now, s.To, s.Reason))
	}
	return out
}

func damage(t *testing.T) *story {
	s := newStory(t)
	s.change(ana, "1", event.OpUpdate, "stage", "lead")
	s.change(ana, "2", event.OpUpdate, "stage", "lead")
	s.change(ana, "4", event.OpUpdate, "email", "j***@example.com")
	s.change(ana, "5", event.OpUpdate, "stage", "customer")
	s.observe("9", "stage", "it's a \\ lead")
	s.observe("11", "stage", "lead")
	s.change(other, "1", event.OpUpdate, "city", "Rome")
	for _, record := range []string{"1", "2", "3", "5", "9"} {
		s.change(robot, record, event.OpUpdate, "stage", "customer")
	}
	s.change(robot, "1", event.OpUpdate, "stage", "partner")
	s.change(robot, "4", event.OpUpdate, "email", "k***@example.com")
	s.change(ana, "2", event.OpUpdate, "stage", "opportunity")
	s.change(robot, "6", event.OpCreate, "stage", "lead")
	s.change(robot, "7", event.OpCreate, "stage", "lead")
	s.change(ana, "7", event.OpUpdate, "phone", "1")
	s.change(robot, "8", event.OpDelete)
	s.change(ana, "10", event.OpUpdate, "stage", "lead")
	s.change(robot, "10", event.OpUpdate, "stage", "customer")
	s.change(ana, "10", event.OpDelete)
	s.observe("11", "stage", "customer") // by clocks that differ, before it was written
	s.at -= event.Minute - event.Minute/120
	s.change(robot, "11", event.OpUpdate, "stage", "customer")
	s.store()
	return s
}

func TestPlanRestoresAndLeavesLaterEditsAlone(t *testing.T) {
	s := damage(t)
	steps := plan(s, Query{Agent: "enricher", Run: "r1"})
	require.Equal(t, []string{
		`delete 6. "" -> "" `,
		`skip 7. "" -> "" it made the record, and user:ana has worked on it since`,
		`restore 8. "" -> "" `,
		`set 1.stage "partner" -> "lead" `,
		`skip 10.stage "customer" -> "lead" the record was deleted since by user:ana`,
		`set 11.stage "customer" -> "lead" `,
		`skip 2.stage "customer" -> "lead" changed since by user:ana`,
		`skip 3.stage "customer" -> "" what stood there before was never seen`,
		`skip 4.email "k***@example.com" -> "j***@example.com" stored as a hash or not at all: not restorable here`,
		`skip 5.stage "customer" -> "customer" it holds the value from before`,
		`set 9.stage "customer" -> "it's a \\ lead" `,
	}, lines(steps))
	var sum Summary
	for _, step := range steps {
		sum.Add(step)
	}
	require.False(t, sum.Empty())
	require.Equal(t, []string{
		"hubspot: set 3 fields of 3 records, delete 1 records it made, restore 1 it deleted: about 3 calls of up to 100 records",
		"skipped 1: changed since",
		"skipped 1: it holds the value from before",
		"skipped 1: it made the record, and user:ana has worked on it since",
		"skipped 1: stored as a hash or not at all: not restorable here",
		"skipped 1: the record was deleted since",
		"skipped 1: what stood there before was never seen",
	}, sum.Lines())
}

func TestPlanOfATimeAndOfAllRuns(t *testing.T) {
	s := damage(t)
	require.Len(t, plan(s, Query{Agent: "enricher"}), 12, "run r0 wrote one field more")
	require.Empty(t, plan(s, Query{Agent: "enricher", Since: s.at.Std().Add(time.Hour)}))
	require.Empty(t, plan(s, Query{Agent: "enricher", Tenant: "t2"}))
	require.Empty(t, plan(s, Query{Agent: "nobody' OR 1=1 --"}))
	require.ErrorContains(t, Each(t.Context(), s.db, policy(t), Query{}, nil), "name the agent")
}

// Carrying the plan out is seen in the systems' own events.
func TestVerify(t *testing.T) {
	s := damage(t)
	steps := plan(s, Query{Agent: "enricher", Run: "r1"})
	made := s.at.Std()
	p, err := Verify(t.Context(), s.db, steps, made)
	require.NoError(t, err)
	require.Equal(t, 3, p.Pending)
	s.change(ana, "1", event.OpUpdate, "stage", "lead")
	s.store()
	p, err = Verify(t.Context(), s.db, steps, made)
	require.NoError(t, err)
	require.Equal(t, Proof{Done: 1, Pending: 2, First: p.First}, p)
	require.Equal(t, "9", p.First[1].RecordID)
	s.observe("9", "stage", "something else")
	s.store()
	p, err = Verify(t.Context(), s.db, steps, made)
	require.NoError(t, err)
	require.Equal(t, Proof{Done: 1, Pending: 1, Later: 1, First: p.First}, p)
}

func TestSpread(t *testing.T) {
	s := newStory(t)
	for i, d := range []event.Delivery{
		{SourceID: "1", TargetID: "003A", State: event.StateApplied, Actor: robot},
		{SourceID: "1", TargetID: "003A", State: event.StateVerified, Actor: robot},
		{SourceID: "2", State: event.StateFailed, Actor: robot},
		{SourceID: "3", TargetID: "003C", State: event.StateApplied, Actor: ana},
	} {
		d.ID, d.Tenant, d.Integration, d.Object, d.RecordKey = fmt.Sprint("d", i), "t1", "hs-sf", "contact", d.SourceID
		d.ChangedAt, d.ReceivedAt, d.DueAt, d.UpdatedAt = s.at+event.Time(i), s.at, s.at, s.at
		s.rows["deliveries"] = append(s.rows["deliveries"], &d)
	}
	s.store()
	var got []string
	require.NoError(t, s.db.Each(t.Context(), SpreadSQL(Query{Agent: "enricher"}), func(scan warehouse.Scan) error {
		var integration, object, source, target, state string
		var n uint64
		var last time.Time
		err := scan(&integration, &object, &source, &target, &state, &n, &last)
		got = append(got, fmt.Sprint(integration, " ", object, " ", source, " ", target, " ", state, " ", n))
		return err
	}))
	require.Equal(t, []string{"hs-sf contact 1 003A verified 2"}, got)
}

// Applied to the systems, a plan gives each field the value it would have if
// the agent had never been, leaves what people wrote after it, and touches
// nothing that was never known.
func TestPlanAppliedRestoresTheTruth(t *testing.T) {
	s := newStory(t)
	rng := rand.New(rand.NewPCG(11, 12))
	type field struct{ record, name string }
	now, without, later := map[field]string{}, map[field]string{}, map[field]bool{}
	touched := map[field]bool{}
	for i := range 3000 {
		at := field{fmt.Sprint(100 + rng.IntN(150)), []string{"stage", "city", "score"}[rng.IntN(3)]}
		value := fmt.Sprint("v", i)
		if rng.IntN(3) == 0 {
			s.change(robot, at.record, event.OpUpdate, at.name, value)
			touched[at], later[at] = true, false
		} else {
			s.change(ana, at.record, event.OpUpdate, at.name, value)
			without[at], later[at] = value, touched[at]
		}
		now[at] = value
	}
	s.store()
	set, left := 0, 0
	for _, step := range plan(s, Query{Agent: "enricher", Run: "r1"}) {
		at := field{step.RecordID, step.Field}
		require.True(t, touched[at], "only what the agent wrote")
		if step.Action != Set {
			left++
			continue
		}
		require.False(t, later[at], "a person wrote %v after the agent", at)
		now[at] = step.To
		set++
	}
	require.Greater(t, set, 80)
	require.Greater(t, left, 50)
	for at := range touched {
		if without[at] != "" {
			require.Equal(t, without[at], now[at], "%v", at)
		}
	}
}
