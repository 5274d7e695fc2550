package evaluate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
)

// What nobody could decide is counted by itself, neither found nor missed.
func TestWhatCouldNotBeJudgedIsCountedApart(t *testing.T) {
	due := gap(20, "email", "stopped_worker")
	due.Due = true // it had differed for the whole deadline already
	lateDue := gap(59, "city", "stopped_worker")
	lateDue.Due = true
	w := world(
		t, gap(10, "phone", "coerced"), closed(15, "phone"), // with its deadline
		due, closed(21, "email"),
		gap(56, "title", "coerced"), // the end came first
		lateDue,
		gap(30, "name", "coerced"), closed(34, "name"), // was under way
	)
	rows, misses := Score(w, &Findings{})
	recall := row(t, rows, GroupDivergences, "recall")
	require.Equal(t, []int{0, 2}, []int{recall.Hits, recall.Of}, "what was due counts from its save on")
	require.Equal(t, 1, row(t, rows, GroupDivergences, "over before a look").Hits)
	require.Equal(t, 1, row(t, rows, GroupDivergences, "too late to be judged").Hits)
	what := map[string]string{}
	for _, m := range misses {
		if m.Group == GroupDivergences {
			what[m.Field] = m.What
		}
	}
	require.Equal(t, map[string]string{"phone": Undecided, "title": Undecided, "email": Missed, "city": Missed}, what)
}

// A worker that lies is right in KPI 1, which counts reports, and its lies are
// counted beside it.
func TestTheSuccessRateCountsWhatIsReported(t *testing.T) {
	lie, hidden := attempt("b", 4, event.OutcomeError, "d"), attempt("e", 6, event.OutcomeError, "f")
	lie.Said, hidden.Reported = event.OutcomeOK, false
	w := world(
		t, change("c", 1, "phone"), attempt("a", 2, "ok", "c"), write("a", 2, "c"), change("d", 3, "city"), lie, gap(4, "city", "swallowed_error"), change("f", 5, "title"), hidden,
	)
	rows, _ := Score(w, &Findings{KPIs: map[string]KPI{sync + "/" + KPISuccess: {Value: 1, Known: true}}})
	require.InDelta(t, 0, row(t, rows, GroupKPIs, "success rate error").Value, 1e-9)
	require.Equal(t, 2, row(t, rows, GroupKPIs, "failures that no report told").Hits)
	require.Equal(t, StateSilent, w.changes[sync+"d"].state)
	require.Equal(t, StateWaiting, w.changes[sync+"f"].state, "nobody said anything of it")
}

// Differences that ended before a look may be counted in the drift rate or not.
func TestDriftLeavesOpenWhatNobodyCouldSee(t *testing.T) {
	brief := gap(10, "phone", "coerced")
	sure := gap(10, "city", "coerced")
	sure.SourceID = "2"
	refused := gap(20, "email", "picklist_removed") // and written two minutes later: who looked meanwhile saw it
	refused.SourceID = "3"
	w := world(t, brief, closed(15, "phone"), sure, refused, closed(22, "email"))
	for said, want := range map[float64]float64{0.1: 0, 0.2: 0, 0.3: 0, 0.4: 10, 0.05: 5} {
		k := KPI{Value: said, Known: true, Beside: map[string]float64{"denominator": 10}}
		rows, _ := Score(w, &Findings{KPIs: map[string]KPI{sync + "/" + KPIDrift: k}})
		require.InDelta(t, want, row(t, rows, GroupKPIs, "drift rate error").Value, 1e-9, "%g", said)
	}
}

// What waits while the target answers nobody can be known to fail, but not to
// differ. What still differs afterwards can.
func TestWhileTheTargetAnswersNobody(t *testing.T) {
	waits, stays := gap(20, "phone", "vendor_outage"), gap(20, "city", "vendor_outage")
	waits.Due, stays.Due = true, true
	w := world(
		t, truth.Line{Kind: truth.Fault, ID: "f", At: 10, Cause: "vendor_outage"}, truth.Line{Kind: truth.FaultEnd, ID: "f", At: 30},
		waits, closed(30, "phone"), stays, closed(40, "city"),
	)
	rows, _ := Score(w, &Findings{})
	require.Equal(t, 1, row(t, rows, GroupDivergences, "while nobody could read").Hits)
	require.Equal(t, 1, row(t, rows, GroupDivergences, "recall").Of)
}

// A field that is saved again before its deadline has passed is under way again.
func TestANewSaveBeginsAnew(t *testing.T) {
	w := world(
		t, gap(10, "phone", "coerced"), change("c", 13, "phone"), closed(17, "phone"),
		gap(20, "city", "coerced"), change("d", 23, "city"), closed(30, "city"),
	)
	rows, _ := Score(w, &Findings{})
	require.Equal(t, 1, row(t, rows, GroupDivergences, "recall").Of)
}

// Several records may be merged into one: each copy that stays is found by itself.
func TestCopiesTooManyAreRecordsOfTheirOwn(t *testing.T) {
	var lines []truth.Line
	f := &Findings{}
	for id, copied := range map[string]string{"1": "003A", "2": "003B"} {
		g := gap(10, "", "merge_not_propagated")
		g.ID, g.SourceID, g.TargetID, g.Type = "gap "+id, id, copied, event.MissingInSource
		lines = append(lines, g)
		f.Divergences = append(f.Divergences, Divergence{
			ID: id, Integration: sync, Object: "contact", SourceID: "survivor", TargetID: copied, Kind: event.Duplicate, FirstSeen: at(10), Confirmed: at(11),
		})
	}
	rows, _ := Score(world(t, lines...), f)
	for _, name := range []string{"precision", "recall"} {
		r := row(t, rows, GroupSilent, name)
		require.Equal(t, []int{2, 2}, []int{r.Hits, r.Of}, name)
	}
}
