package topic_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// promised are the public topics; later ones are not built yet. A topic that
// gets its row leaves later, so nobody can forget it.
var (
	promised = []string{
		"intake", "facts", "deliveries", "failures", "divergences", "reconciliations", "incidents", "verdicts",
		"signals", "kpis", "alerts", "alert-states", "agent-states", "dead-letters",
	}
	later []string
)

func TestPublicTopicsAreThePromisedOnes(t *testing.T) {
	for _, name := range promised {
		spec, ok := topic.Find(topic.Prefix + name)
		require.Equal(t, !slices.Contains(later, name), ok, name)
		require.True(t, !ok || spec.Public, "%s is a contract", name)
	}
	for _, spec := range topic.All {
		if spec.Public {
			require.Contains(t, promised, spec.Name[len(topic.Prefix):])
		}
	}
}

func TestTable(t *testing.T) {
	names, filled := map[string]bool{}, map[string]bool{}
	for _, spec := range topic.All {
		t.Run(spec.Name, func(t *testing.T) {
			require.False(t, names[spec.Name], "twice in the table")
			names[spec.Name] = true
			require.Regexp(t, `^plumbline\.[a-z]+(-[a-z]+)*$`, spec.Name)
			require.NotEmpty(t, spec.Key)
			require.Contains(t, []string{topic.Delete, topic.Compact}, spec.Cleanup)
			require.True(t, spec.Retention >= event.Hour || spec.Retention == topic.Forever)
			for _, fill := range spec.Tables {
				require.NotNil(t, event.New(fill.Type), "%s has no bytes", fill.Type)
				require.False(t, filled[fill.Table], "table %s is filled from two topics: counted twice", fill.Table)
				filled[fill.Table] = true
			}
		})
	}
	_, ok := topic.Find("plumbline.nonsense")
	require.False(t, ok)
}

// A role that folds a topic needs its time; nobody folds the others.
func TestTickedTopics(t *testing.T) {
	var ticked []string
	for _, spec := range topic.All {
		if spec.Ticked {
			ticked = append(ticked, spec.Name)
		}
	}
	require.Equal(t, []string{topic.Intake, topic.Facts, topic.Partials}, ticked)
}

// Every setting that limits growth is explicit: the embedded broker deletes
// only where it is told to, and a log of state never loses a record by itself.
func TestConfigs(t *testing.T) {
	for _, spec := range topic.All {
		t.Run(spec.Name, func(t *testing.T) {
			c := spec.Configs()
			for _, name := range []string{"cleanup.policy", "segment.bytes", "segment.ms", "max.message.bytes"} {
				require.NotEmpty(t, c[name], name)
			}
			n, err := strconv.Atoi(c["max.message.bytes"])
			require.NoError(t, err)
			require.Greater(t, n, event.MaxBytes)
			keep := "retention.ms"
			if spec.Cleanup == topic.Compact {
				keep = "min.compaction.lag.ms"
			}
			require.Equal(t, strconv.FormatInt(spec.Retention, 10), c[keep])
		})
	}
	for _, name := range []string{topic.ResolveState, topic.TrackState, topic.WatchState} {
		spec, ok := topic.Find(name)
		require.True(t, ok)
		require.Equal(t, topic.Delete, spec.Cleanup, "a compacting broker merges transactions and refuses to trim")
		require.Equal(t, "-1", spec.Configs()["retention.ms"])
	}
	compacted := topic.Spec{Name: "x", Cleanup: topic.Compact, Retention: event.Day}.Configs()
	require.Equal(t, "86400000", compacted["min.compaction.lag.ms"])
	require.NotContains(t, compacted, "retention.ms")
}

func TestCauseRoundTrip(t *testing.T) {
	require.Equal(t, "facts/3/12/1", topic.Cause{Topic: topic.Facts, Partition: 3, Offset: 12, N: 1}.String())
	rapid.Check(t, func(t *rapid.T) {
		want := topic.Cause{
			Topic:     topic.Prefix + rapid.StringMatching(`[a-z-]{1,20}`).Draw(t, "topic"),
			Partition: rapid.Int32Min(0).Draw(t, "partition"),
			Offset:    rapid.Int64Min(0).Draw(t, "offset"), N: rapid.Int32Min(0).Draw(t, "n"),
		}
		got, err := topic.ParseCause(want.String())
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestCauseOrder(t *testing.T) {
	at := func(offset int64, n int32) topic.Cause { return topic.Cause{Offset: offset, N: n} }
	require.True(t, at(2, 0).After(at(1, 9)))
	require.True(t, at(2, 1).After(at(2, 0)))
	require.False(t, at(2, 0).After(at(2, 0)))
	require.False(t, at(1, 9).After(at(2, 0)))
}

func TestParseCauseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "facts", "facts/1/2", "facts/1/2/3/4", "/1/2/3", "facts/-1/2/3", "facts/1/-2/3", "facts/1/2/-3",
		"facts/x/2/3", "facts/2147483648/2/3", "facts/1/9223372036854775808/3", "facts/1/2/3 ",
	} {
		_, err := topic.ParseCause(s)
		require.ErrorContains(t, err, strconv.Quote(s))
	}
}

func FuzzParseCause(f *testing.F) {
	f.Add("facts/3/12/1")
	f.Add("plumbline.facts/0/0/0")
	f.Add("a/+1/02/3")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := topic.ParseCause(s)
		if err != nil {
			return
		}
		again, err := topic.ParseCause(c.String())
		if err != nil || again.Partition != c.Partition || again.Offset != c.Offset || again.N != c.N {
			t.Fatalf("%q reads as %+v, written and read again as %+v, %v", s, c, again, err)
		}
	})
}
