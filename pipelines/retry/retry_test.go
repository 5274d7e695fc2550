package retry

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const ten = event.Time(1_767_261_600_000)

type try struct {
	record string
	at     event.Time // after ten
	op     string
	status int
	key    string
	after  string // Retry-After
	final  bool
}

// play folds tries with a tick a second until an hour and a half after the
// last, restoring the state from its log every so often; it returns what was told.
func play(t *testing.T, tries []try, restore bool) (told []string) {
	t.Helper()
	r, log := New(), map[string][]byte{}
	slices.SortStableFunc(tries, func(a, b try) int { return int(a.at - b.at) })
	hear := func(out *stream.Out) {
		for _, o := range out.List {
			s := o.Event.(*event.Signal)
			require.NoError(t, s.Validate())
			if o.Topic == topic.Signals {
				n, _ := event.Find(s.Detail, "n")
				told = append(told, fmt.Sprintf("%s %s %s %v", s.Object, s.Field, n.Text, s.EndedAt != 0))
			}
		}
	}
	i := 0
	for now := ten; now < ten+tries[len(tries)-1].at+90*event.Minute; now += event.Second {
		var out stream.Out
		for ; i < len(tries) && ten+tries[i].at < now; i++ {
			x := tries[i]
			a := &event.Attempt{
				ID: fmt.Sprint(i), Tenant: "t", Integration: "hs-sf", RecordKey: x.record, System: "salesforce", Object: "contact", Operation: x.op, Status: x.status,
				OccurredAt: ten + x.at, Outcome: event.OutcomeOK, IdempotencyKey: x.key, Token: "tok",
			}
			if x.status == 0 || x.status >= 400 {
				a.Outcome = event.OutcomeError
			}
			if x.after != "" {
				a.Headers = []event.Field{{Name: "retry-after", Value: event.Value{Text: x.after}}}
			}
			if x.final {
				a.Verdict = &event.Verdict{Recoverability: event.Permanent}
			}
			r.Step(stream.Ctx{Now: now}, "hs-sf/contact/"+x.record, a, &out)
		}
		if restore && now%(17*event.Second) == 0 {
			require.NoError(t, r.Save(func(key string, value []byte) error {
				log[strings.Clone(key)] = slices.Clone(value)
				return nil
			}))
			r = New()
			for key, value := range log {
				if value != nil {
					require.NoError(t, r.Load(key, value))
				}
			}
		}
		r.Tick(stream.Ctx{Now: now}, &out)
		hear(&out)
	}
	return told
}

func TestWhatDoesHarm(t *testing.T) {
	const sec = event.Time(event.Second)
	repeat := func(n int, every event.Time, x try) (out []try) {
		for i := range n {
			x.at = event.Time(i) * every
			out = append(out, x)
		}
		return out
	}
	for name, tt := range map[string]struct {
		tries []try
		want  []string
	}{
		"create after a timeout":        {[]try{{"1", 0, "create", 504, "", "", false}, {"1", 5 * sec, "create", 201, "", "", false}}, []string{"contact unsafe_create 1 false", "contact unsafe_create 1 true"}},
		"with an idempotency key":       {[]try{{"1", 0, "create", 504, "k", "", false}, {"1", 5 * sec, "create", 201, "k", "", false}}, nil},
		"upsert by an external id":      {[]try{{"1", 0, "upsert", 504, "", "", false}, {"1", 5 * sec, "upsert", 200, "", "", false}}, nil},
		"create after a clear refusal":  {[]try{{"1", 0, "create", 400, "", "", false}, {"1", 5 * sec, "create", 201, "", "", false}}, nil},
		"another record's create":       {[]try{{"1", 0, "create", 504, "", "", false}, {"2", 5 * sec, "create", 201, "", "", false}}, nil},
		"long after":                    {[]try{{"1", 0, "create", 504, "", "", false}, {"1", 2 * event.Hour, "create", 201, "", "", false}}, nil},
		"three before Retry-After":      {repeat(4, 5*sec, try{record: "1", op: "update", status: 429, after: "30"}), []string{"contact early 3 false", "contact early 3 true"}},
		"as long as Retry-After says":   {repeat(4, 31*sec, try{record: "1", op: "update", status: 429, after: "30"}), nil},
		"a permanent error again":       {repeat(5, 20*event.Minute, try{record: "1", op: "update", status: 400, final: true}), []string{"contact permanent 1 false", "contact permanent 1 true"}},
		"a permanent error three times": {repeat(3, 20*event.Minute, try{record: "1", op: "update", status: 400, final: true}), nil},
		"a storm":                       {repeat(12, 10*sec, try{record: "1", op: "update", status: 500}), []string{"contact storm 1 false", "contact storm 1 true"}},
		"patience":                      {repeat(12, 5*event.Minute, try{record: "1", op: "update", status: 500}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, play(t, tt.tries, false))
			require.Equal(t, tt.want, play(t, tt.tries, true), "restored")
		})
	}
}

// The count of unsafe creates is that of a plain look over each record's tries.
func TestUnsafeCreatesAreCounted(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	var tries []try
	for i := range 3000 {
		tries = append(tries, try{
			record: fmt.Sprint(rng.IntN(300)), at: event.Time(i) * event.Second / 2, op: []string{"create", "update"}[rng.IntN(2)],
			status: []int{201, 504, 0, 400}[rng.IntN(4)], key: []string{"", "", "k"}[rng.IntN(3)],
		})
	}
	want, last := 0, map[string]try{}
	for _, x := range tries {
		was, ok := last[x.record]
		if ok && was.op == "create" && (was.status == 504 || was.status == 0) && x.op == "create" && x.key == "" {
			want++
		}
		last[x.record] = x
	}
	got := ""
	for _, line := range play(t, tries, false) {
		if strings.Contains(line, UnsafeCreate) && strings.HasSuffix(line, "true") {
			got = line
		}
	}
	require.Equal(t, fmt.Sprintf("contact %s %d true", UnsafeCreate, want), got)
	require.Greater(t, want, 100)
}
