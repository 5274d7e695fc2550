package streamtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
)

func TestScenarios(t *testing.T) { streamtest.Run(t, options("")) }

// The ways of playing find the mistakes they are there for.
func TestCheckFindsOperatorsThatAreNotPure(t *testing.T) {
	text := read(t, "testdata/deadline.txt")
	for fault, want := range map[string]string{
		"forgets":              "gives other outputs",
		"remembers other runs": "played again",
		"emits its own state":  "an output was changed after it was emitted",
	} {
		t.Run(fault, func(t *testing.T) {
			got, err := streamtest.Check("x.txt", text, options(fault))
			require.ErrorContains(t, err, want)
			require.Empty(t, got, "nothing to write: it would differ next time")
		})
	}
}

func TestCheckComparesLineByLine(t *testing.T) {
	text := read(t, "testdata/deadline.txt")
	wrong := strings.Replace(text, "delivery c1 acknowledged", "delivery c1 applied", 1)
	got, err := streamtest.Check("x.txt", wrong, options(""))
	require.ErrorContains(t, err, "x.txt:9: not what came out:\n")
	require.ErrorContains(t, err, "\n  - 10:00:02 delivery c1 applied")
	require.ErrorContains(t, err, "\n  + 10:00:02 delivery c1 acknowledged")
	require.Equal(t, text, got, "-update would write the right file")

	missing := strings.Replace(text, "\n\n---- then\ntick 10:16", "\n10:15:00 delivery c9 stalled\n\n---- then\ntick 10:16", 1)
	_, err = streamtest.Check("x.txt", missing, options(""))
	require.ErrorContains(t, err, "  - 10:15:00 delivery c9 stalled")
}

func TestCheckReportsAnOperatorThatCannotBeMade(t *testing.T) {
	_, err := streamtest.Check("x.txt", "set deadline=soon\n---- expect\n", options(""))
	require.ErrorContains(t, err, `x.txt: make the operator: set deadline: time: invalid duration "soon"`)
}

func TestFormatHookLeavesOut(t *testing.T) {
	o := options("")
	o.Format = func(s *streamtest.Scenario, out stream.Output) string {
		if d := out.Event.(*event.Delivery); d.State == event.StateAcknowledged {
			return d.ChangeID
		}
		return ""
	}
	_, err := streamtest.Check("x.txt", `set deadline=1h
at 10:00:00 change hubspot contact 101 id=c1
at 10:00:02 attempt update 101 -> 003A ok
---- expect
c1
`, o)
	require.NoError(t, err)
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}
