package evaluate

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sync     = "hubspot-salesforce"
	minute   = truth.Time(60_000)
	deadline = int64(5 * minute)
)

var zero = truth.Time(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixMilli())

// world is a truth of an hour with these lines in it; times are minutes.
func world(t *testing.T, lines ...truth.Line) *World {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	all := append([]truth.Line{{Kind: truth.Run, ID: sync}}, lines...)
	for _, l := range append(all, truth.Line{Kind: truth.End, ID: sync, At: 60}) {
		l.At, l.Sync = zero+l.At*minute, sync
		require.NoError(t, e.Encode(l))
	}
	w, err := Read(strings.NewReader(b.String()), deadline)
	require.NoError(t, err)
	return w
}

func change(id string, at truth.Time, fields ...string) truth.Line {
	return truth.Line{Kind: truth.Change, ID: id, At: at, System: "hubspot", Object: "contact", SourceID: "1", Operation: event.OpUpdate, Mapped: true, Fields: fields}
}

func attempt(id string, at truth.Time, outcome string, changes ...string) truth.Line {
	return truth.Line{Kind: truth.Attempt, ID: id, At: at, Object: "contact", SourceID: "1", Operation: event.OpUpdate, Outcome: outcome, Changes: changes, Reported: true}
}

func write(of string, at truth.Time, changes ...string) truth.Line {
	return truth.Line{Kind: truth.Write, ID: "w" + of, At: at, Attempt: of, Object: "contact", SourceID: "1", Changes: changes}
}

func gap(at truth.Time, field, cause string) truth.Line {
	return truth.Line{
		Kind: truth.Divergence, ID: "gap " + field, At: at, Object: "contact", SourceID: "1", TargetID: "003", Field: field,
		Type: event.ValueMismatch, Difference: "coerced", Cause: cause, Silent: true,
	}
}

func closed(at truth.Time, field string) truth.Line {
	return truth.Line{Kind: truth.Resolved, ID: "gap " + field, At: at}
}

func merge(minutes truth.Time) truth.Line {
	l := change("m", minutes)
	l.Operation = event.OpMerge
	return l
}

// What becomes of a change, by what is written about it.
func TestWhatBecameOfAChange(t *testing.T) {
	bent := write("a", 2, "c")
	bent.Cause = "coerced"
	for name, tt := range map[string]struct {
		want  string
		lines []truth.Line
	}{
		"written":                 {StateDelivered, []truth.Line{attempt("a", 2, "ok", "c"), write("a", 2, "c")}},
		"never tried":             {StateWaiting, nil},
		"refused":                 {StateFailed, []truth.Line{attempt("a", 2, "error", "c")}},
		"refused, then written":   {StateDelivered, []truth.Line{attempt("a", 2, "error", "c"), attempt("b", 3, "ok", "c"), write("b", 3, "c")}},
		"dropped":                 {StateSilent, []truth.Line{attempt("a", 2, "ok", "c"), gap(2, "phone", "ack_and_drop")}},
		"bent":                    {StateSilent, []truth.Line{attempt("a", 2, "ok", "c"), bent, gap(2, "phone", "coerced")}},
		"bent in another field":   {StateDelivered, []truth.Line{attempt("a", 2, "ok", "c"), bent, gap(2, "city", "coerced")}},
		"dropped, soon replaced":  {StateSuperseded, []truth.Line{attempt("a", 2, "ok", "c"), gap(2, "phone", "ack_and_drop"), change("d", 4, "phone")}},
		"dropped, long after":     {StateSilent, []truth.Line{attempt("a", 2, "ok", "c"), gap(2, "phone", "ack_and_drop"), change("d", 30, "phone")}},
		"dropped, said again":     {StateSilent, []truth.Line{attempt("a", 2, "ok", "c"), gap(2, "phone", "ack_and_drop"), attempt("b", 29, "ok", "c"), change("d", 30, "phone"), attempt("e", 31, "ok", "c", "d"), write("e", 31, "c", "d")}},
		"replaced before its try": {StateSuperseded, []truth.Line{change("d", 2, "phone", "city"), attempt("a", 3, "ok", "c", "d"), write("a", 3, "c", "d")}},
		"replaced in part":        {StateDelivered, []truth.Line{change("d", 2, "city"), attempt("a", 3, "ok", "c", "d"), write("a", 3, "c", "d")}},
		"replaced after":          {StateDelivered, []truth.Line{attempt("a", 2, "ok", "c"), write("a", 2, "c"), change("d", 3, "phone")}},
		"bent, and soon replaced": {StateSuperseded, []truth.Line{attempt("a", 2, "ok", "c"), bent, gap(2, "phone", "coerced"), change("d", 4, "phone")}},
		"merged away before":      {StateSuperseded, []truth.Line{merge(2), attempt("a", 3, "ok", "c"), write("a", 3, "c")}},
		"merged away after":       {StateDelivered, []truth.Line{attempt("a", 2, "ok", "c"), write("a", 2, "c"), merge(3)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t, append([]truth.Line{change("c", 1, "phone")}, tt.lines...)...)
			require.Equal(t, tt.want, w.changes[sync+"c"].state)
		})
	}
}

// A field that was bent and soon saved anew is asked for no more: the others count.
func TestWhatArrivedBesideABentField(t *testing.T) {
	bent := write("a", 2, "c")
	bent.Cause = "coerced"
	for replaced, want := range map[truth.Time]string{4: StateDelivered, 30: StateSilent} {
		w := world(t, change("c", 1, "phone", "city"), attempt("a", 2, "ok", "c"), bent, gap(2, "phone", "coerced"), change("d", replaced, "phone"))
		require.Equal(t, want, w.changes[sync+"c"].state, replaced)
	}
}

// What the target held all along is delivered with its save, whenever it is
// written again; what newer changes replaced is not asked for.
func TestWhatTheTargetHoldsAlreadyIsInTime(t *testing.T) {
	for name, tt := range map[string]struct {
		want string
		held []string
		more []truth.Line
	}{
		"held":             {inTime, []string{"phone", "city"}, nil},
		"one of two":       {tardy, []string{"phone"}, nil},
		"the one that was": {inTime, []string{"phone"}, []truth.Line{change("d", 3, "city")}},
	} {
		t.Run(name, func(t *testing.T) {
			c := change("c", 1, "phone", "city")
			c.Held = tt.held
			w := world(t, append(append([]truth.Line{c}, tt.more...), attempt("a", 20, "ok", "c", "d"), write("a", 20, "c", "d"))...)
			require.Equal(t, tt.want, w.fate(w.changes[sync+"c"]))
		})
	}
}

// A record that somebody typed in is there from the start, and need not be created.
func TestACreationWaitsForNothingThatIsThere(t *testing.T) {
	for there, want := range map[bool]string{true: inTime, false: tardy} {
		c := change("c", 1)
		c.Operation, c.There = event.OpCreate, there
		w := world(t, c, attempt("a", 20, "ok", "c"), write("a", 20, "c"))
		require.Equal(t, want, w.fate(w.changes[sync+"c"]))
	}
}

func row(t *testing.T, rows []Row, group, name string) Row {
	t.Helper()
	r := find(rows, group, name)
	require.NotEmpty(t, r.Group, "%s: %s", group, name)
	return r
}

func at(minutes truth.Time) int64 { return int64(zero + minutes*minute) }

func TestDifferencesAreFoundOrNot(t *testing.T) {
	w := world(
		t, gap(10, "phone", "coerced"), closed(30, "phone"), // found after 6 minutes
		gap(10, "city", "coerced"), closed(12, "city"), // under way
		gap(20, "email", "coerced"), // never found
		gap(58, "title", "coerced"), // too late to be judged
	)
	f := &Findings{Divergences: []Divergence{
		{
			Integration: sync, Object: "contact", SourceID: "1", Field: "phone", Kind: event.ValueMismatch, Difference: "other",
			FirstSeen: at(11), Confirmed: at(16), State: event.DivergenceResolved,
		},
		{Integration: sync, Object: "contact", SourceID: "1", Field: "phone", FirstSeen: at(45), Confirmed: at(46), State: event.DivergenceConfirmed}, // long gone
		{Integration: sync, Object: "contact", SourceID: "2", Field: "phone", FirstSeen: at(11), Confirmed: at(16)},                                   // equal in truth
		{Integration: sync, Object: "contact", SourceID: "1", Field: "email", FirstSeen: at(21), State: event.DivergencePending},
	}}
	rows, _ := Score(w, f)
	precision, recall := row(t, rows, GroupDivergences, "precision"), row(t, rows, GroupDivergences, "recall")
	require.Equal(t, []int{1, 3}, []int{precision.Hits, precision.Of})
	require.Equal(t, []int{1, 2}, []int{recall.Hits, recall.Of})
	require.InDelta(t, 360, row(t, rows, GroupDivergences, "time to detect p50").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupDivergences, "kind right").Value, 0)
	require.InDelta(t, 0, row(t, rows, GroupDivergences, "difference right").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupDivergences, "closed when gone").Value, 0)
	// By records there is one, and it was found.
	require.InDelta(t, 1, row(t, rows, GroupSilent, "recall").Value, 0)
	require.InDelta(t, 0.5, row(t, rows, GroupSilent, "precision").Value, 0)
}

func TestSilentDeliveriesCountAsFound(t *testing.T) {
	w := world(t, change("c", 1, "phone"), attempt("a", 2, "ok", "c"), gap(2, "phone", "ack_and_drop"))
	id := event.DeliveryID(sync, "contact", "1", "c")
	rows, _ := Score(w, &Findings{Deliveries: []Delivery{{ID: id, State: event.StateNotApplied, UpdatedAt: at(7)}}})
	require.InDelta(t, 1, row(t, rows, GroupSilent, "recall").Value, 0)
	require.InDelta(t, 300, row(t, rows, GroupSilent, "time to detect p50").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupDeliveries, "final state right").Value, 0)
}

func TestFailuresAndTheirConfusion(t *testing.T) {
	fail := attempt("a", 2, "error", "c")
	fail.Class, fail.Recoverability, fail.Attribution = event.ClassVendorOutage, event.Temporary, []string{event.ByVendor}
	unheard := attempt("b", 3, "error", "c")
	unheard.Reported = false
	w := world(t, change("c", 1, "phone"), fail, unheard)
	rows, _ := Score(w, &Findings{Failures: []Failure{
		{AttemptID: "a", Integration: sync, Class: event.ClassAuth, Recoverability: event.Temporary, Attribution: event.ByUnknown},
	}})
	require.InDelta(t, 1, row(t, rows, GroupFailures, "listed").Value, 0)
	class := row(t, rows, GroupFailures, "class right")
	require.Equal(t, "vendor_outage read as auth: 1", class.Note)
	require.InDelta(t, 0, class.Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupFailures, "recoverability right").Value, 0)
	require.InDelta(t, 0, row(t, rows, GroupFailures, "attribution right").Value, 0)
}

func TestIncidents(t *testing.T) {
	w := world(
		t, truth.Line{Kind: truth.Incident, ID: "i", At: 10, Class: event.ClassAuth, Cause: "token_expired"},
		truth.Line{Kind: truth.IncidentOK, ID: "i", At: 25, Records: 9},
		truth.Line{Kind: truth.Incident, ID: "j", At: 40, Class: event.ClassSchema}, faulty("a", 10, "i"), faulty("b", 40, "j"),
		truth.Line{Kind: truth.Incident, ID: "agent", At: 50}, // of which nothing failed or differed
	)
	rows, _ := Score(w, &Findings{Incidents: []IncidentRow{
		{ID: "1", Integration: sync, Class: event.ClassAuth, Onset: at(11), Detected: at(12)},
		{ID: "2", Integration: sync, Class: event.ClassDuplicate, Onset: at(50), Detected: at(51)},
	}})
	found := row(t, rows, GroupIncidents, "found")
	require.Equal(t, []int{1, 2}, []int{found.Hits, found.Of})
	require.InDelta(t, 60, row(t, rows, GroupIncidents, "onset error p50").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupIncidents, "false ones").Value, 0)
}

func faulty(id string, at truth.Time, fault string) truth.Line {
	l := attempt(id, at, event.OutcomeError)
	l.Fault = fault
	return l
}

// What is silent can be known when a deadline has passed; where that is what made
// it a difference, it passed already, and began with the change.
func TestWhenAnIncidentCanBeKnown(t *testing.T) {
	stale := func(at truth.Time, fault string, due bool) truth.Line {
		g := gap(at, "f"+fault, fault)
		g.Fault, g.Due, g.Type = fault, due, event.Stale
		return g
	}
	incident := func(at truth.Time, id string) truth.Line {
		return truth.Line{Kind: truth.Incident, ID: id, At: at, Silent: true}
	}
	dropped, stopped := []truth.Line{incident(10, "d"), stale(10, "d", false)}, []truth.Line{incident(30, "s"), stale(30, "s", true)}
	lines := append(append([]truth.Line{}, dropped...), stopped...)
	w := world(t, append(lines, attempt("a", 1, "ok"))...)
	require.Len(t, w.Incidents, 2)
	require.Equal(t, []int64{at(10), at(15)}, []int64{w.Incidents[0].Onset, w.Incidents[0].Known})
	require.Equal(t, []int64{at(25), at(30)}, []int64{w.Incidents[1].Onset, w.Incidents[1].Known})
	quiet := world(t, lines...) // nobody reports: neither was seen to be tried, and the first still lasts
	require.Len(t, quiet.Incidents, 1)
	require.Equal(t, at(15), quiet.Incidents[0].Known)
	over := world(t, append(lines, closed(14, "fd"), truth.Line{Kind: truth.IncidentOK, ID: "d", At: 14})...)
	require.Len(t, over.Incidents, 2, "after the flap hold it is another")
}

func TestKPIsAreHeldAgainstTheirDefinition(t *testing.T) {
	w := world(
		t, change("c", 1, "phone"), attempt("a", 2, "ok", "c"), write("a", 2, "c"),
		change("d", 3, "city"), attempt("b", 4, "error", "d"),
	)
	rows, _ := Score(w, &Findings{KPIs: map[string]KPI{
		sync + "/" + KPISuccess: {Value: 0.6, Known: true, Beside: map[string]float64{"record_success_rate": 0.5}},
		sync + "/" + KPILatency: {Known: false},
	}})
	r := row(t, rows, GroupKPIs, "success rate error")
	require.InDelta(t, 10, r.Value, 1e-9)
	require.Equal(t, "said 0.6, was 0.5", r.Note)
	require.InDelta(t, 0, row(t, rows, GroupKPIs, "record success error").Value, 1e-9)
	require.False(t, row(t, rows, GroupKPIs, "latency p95 error").Measured)
}

// Covered is what somebody was shown of both sides: of one alone nobody can say.
func TestCoverageIsWhatCouldBeCompared(t *testing.T) {
	set := truth.Line{Kind: truth.Set, Object: "contact", Fields: []string{"phone", "city", "email"}}
	listed := func(system string, at truth.Time) truth.Line {
		return truth.Line{Kind: truth.Listed, System: system, Object: "contact", At: at}
	}
	said := &Findings{KPIs: map[string]KPI{sync + "/" + KPICoverage: {Value: 0, Known: true}}}
	for want, lines := range map[float64][]truth.Line{
		0:   {set, listed("hubspot", 2)},
		100: {set, listed("hubspot", 2), listed("salesforce", 30)},
	} {
		rows, _ := Score(world(t, lines...), said)
		require.InDelta(t, want, row(t, rows, GroupKPIs, "coverage error").Value, 1e-9)
	}
	late := world(t, set, listed("hubspot", 2), listed("salesforce", 59)) // it is being compared when all is over
	for _, value := range []float64{0, 1} {
		rows, _ := Score(late, &Findings{KPIs: map[string]KPI{sync + "/" + KPICoverage: {Value: value, Known: true}}})
		require.InDelta(t, 0, row(t, rows, GroupKPIs, "coverage error").Value, 1e-9)
	}
}

// An unknown drift is no error, and right only where nobody could look.
func TestDriftIsRightlyUnknown(t *testing.T) {
	said := &Findings{KPIs: map[string]KPI{sync + "/" + KPIDrift: {Beside: map[string]float64{"denominator": 100}}}}
	g := gap(22, "phone", "vendor_outage")
	g.Silent = false
	outage := []truth.Line{{Kind: truth.Fault, ID: "f", At: 20, Cause: "vendor_outage"}, g, closed(35, "phone"), {Kind: truth.FaultEnd, ID: "f", At: 35}}
	rows, _ := Score(world(t, outage...), said)
	require.Contains(t, row(t, rows, GroupKPIs, "drift rate error").Note, "rightly unknown: 1 of 100 records")
	rows, _ = Score(world(t, g), said)
	require.Contains(t, row(t, rows, GroupKPIs, "drift rate error").Note, "unknown without need: 0 of 100")
}

func TestWhatIsNotThereIsNotMeasured(t *testing.T) {
	w := world(t, gap(10, "phone", "coerced"))
	rows, _ := Score(w, &Findings{Missing: map[string]string{GroupDivergences: "there is no divergences"}})
	for _, r := range rows {
		if r.Group == GroupDivergences {
			require.Equal(t, "not measured", r.Text())
			require.Equal(t, "there is no divergences", r.Note)
		}
	}
	require.Equal(t, "not measured", row(t, rows, GroupCauses, "top 1").Text())
}

func TestCausesCountWhereOneIsStated(t *testing.T) {
	made, bent := gap(10, "phone", "picklist_removed"), gap(10, "city", "coerced")
	made.Fault = "f"
	w := world(t, truth.Line{Kind: truth.Fault, ID: "f", At: 9, Cause: "picklist_removed"}, made, bent, gap(10, "email", "edited_in_target"))
	d := Divergence{Integration: sync, Object: "contact", SourceID: "1", FirstSeen: at(10), Confirmed: at(16)}
	var list []Divergence
	for field, cause := range map[string]string{
		"phone": "deploy: 4.2; picklist change: 'Nurture' left", "city": "unexplained", "email": "edited in the target by user:7",
	} {
		d.Field, d.Cause = field, cause
		list = append(list, d)
	}
	said := []Explanation{{Integration: sync, Cause: "deploy: 4.2", Rank: 1}, {Integration: sync, Cause: "picklist change: 'Nurture' left", Rank: 2}}
	rows, _ := Score(w, &Findings{Divergences: list, Explanations: said})
	require.InDelta(t, 0, row(t, rows, GroupCauses, "top 1").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupCauses, "top 3").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupCauses, "top 1 of daily life").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupCauses, "unexplained where nothing tells").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupCauses, "blamed without cause").Value, 0)
}

// What the target itself said of most differences names their fault, too.
func TestAFaultIsNamedByItsRefusals(t *testing.T) {
	for said, want := range map[string]float64{"refused by the target: REQUEST_LIMIT_EXCEEDED": 1, "refused by the target: FIELD_INTEGRITY_EXCEPTION": 0, "unexplained": 0} {
		lines := []truth.Line{{Kind: truth.Fault, ID: "f", At: 9, Cause: "throttled"}}
		var list []Divergence
		for _, field := range []string{"phone", "city", "email", "title"} {
			g := gap(10, field, "throttled")
			g.Fault = "f"
			lines = append(lines, g)
			list = append(list, Divergence{Integration: sync, Object: "contact", SourceID: "1", Field: field, FirstSeen: at(10), Confirmed: at(16), Cause: said})
		}
		list[0].Cause = unexplained
		rows, _ := Score(world(t, lines...), &Findings{Divergences: list})
		require.InDelta(t, want, row(t, rows, GroupCauses, "faults named first").Value, 0, said)
	}
}

func TestTheListAtTheEnd(t *testing.T) {
	w := world(t, gap(10, "phone", "coerced"), closed(30, "phone"), gap(40, "city", "coerced"))
	other := Silent{Integration: sync, Object: "contact", SourceID: "2", FoundAt: at(50)}
	rows, _ := Score(w, &Findings{Listed: []Silent{{Integration: sync, Object: "contact", SourceID: "1", FoundAt: at(46)}, other}})
	require.InDelta(t, 0.5, row(t, rows, GroupListed, "precision").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupListed, "recall").Value, 0)
}

// refused is one reported try that fails for good.
func refused(id string, at truth.Time) truth.Line {
	l := attempt(id, at, event.OutcomeError)
	l.Recoverability = event.Permanent
	return l
}

func TestStormsAndSurface(t *testing.T) {
	w := world(
		t, change("c", 1, "phone"), truth.Line{Kind: truth.Fault, ID: "f", At: 5, Cause: "retry_storm"},
		truth.Line{Kind: truth.FaultEnd, ID: "f", At: 9},
		refused("a", 2), refused("b", 3), refused("c", 4), refused("d", 5), attempt("e", 6, event.OutcomeOK),
	)
	rows, _ := Score(w, &Findings{Retries: map[string]Habits{sync: {Attempts: 5, Records: 1, Retried: 1, Repeated: 1}}, Surface: map[string]Surface{sync: {Records: 2, Objects: 1}}})
	require.InDelta(t, 1, row(t, rows, GroupRetries, "storms seen").Value, 0)
	for _, name := range []string{"attempts error", "records error", "retried error", "permanent repeated error", "unsafe creates error"} {
		require.Zero(t, row(t, rows, GroupRetries, name).Value, name)
	}
	require.InDelta(t, 1, row(t, rows, GroupSurface, "records error").Value, 0)
	require.Zero(t, row(t, rows, GroupSurface, "objects error").Value)
}

// A create repeated without a key after no answer, and a try before the time
// that the answer named, are counted as the views count them.
func TestHarmfulRetries(t *testing.T) {
	try := func(id string, at truth.Time, outcome string, retryAfter int64) truth.Line {
		l := attempt(id, at, outcome)
		l.Operation, l.Keyless, l.RetryAfter = event.OpCreate, true, retryAfter
		if l.Status = 0; retryAfter > 0 {
			l.Status = 429
		}
		return l
	}
	w := world(t, change("c", 1, "phone"), try("a", 2, event.OutcomeError, 0), try("b", 3, event.OutcomeError, 3600), try("c", 4, event.OutcomeOK, 0))
	said := Habits{Attempts: 3, Records: 1, Retried: 1, Unsafe: 1, Early: 1}
	rows, _ := Score(w, &Findings{Retries: map[string]Habits{sync: said}})
	for _, name := range []string{"unsafe creates error", "early retries error", "retried error"} {
		require.Zero(t, row(t, rows, GroupRetries, name).Value, name)
	}
	require.Zero(t, row(t, rows, GroupRetries, "harm told").Value)
	rows, _ = Score(w, &Findings{Alerts: []Alert{{Rule: event.RuleRetry, Integration: sync}}})
	require.InDelta(t, 1, row(t, rows, GroupRetries, "harm told").Value, 0)
	require.InDelta(t, 1, row(t, rows, GroupRetries, "unsafe creates error").Value, 0)
}

func TestCausesAreSummedOverSeeds(t *testing.T) {
	var table CauseTable
	share := func(name string, hits, of int) Row {
		return Row{Group: GroupCauses, Name: name, Unit: Share, Hits: hits, Of: of, Measured: true}
	}
	blamed := func(n int) Row {
		return Row{Group: GroupCauses, Name: "blamed without cause", Unit: Count, Hits: n, Measured: true}
	}
	table.Add("two", []Row{share("faults named first", 2, 2), share("faults named", 2, 2), share("top 1", 9, 10), blamed(0)})
	table.Add("two", []Row{share("faults named first", 1, 2), share("faults named", 2, 2), share("top 1", 5, 10), blamed(1)})
	var b strings.Builder
	require.NoError(t, table.Print(&b))
	require.Contains(t, b.String(), "| two | 2 | 3 of 4 (75%) | 4 of 4 (100%) | 14 of 20 (70%) | - | 1 | 1 |")
}

func TestTable(t *testing.T) {
	var table Table
	table.Add("one", []Row{{Group: GroupSilent, Name: "recall", Unit: Share, Hits: 1, Of: 2, Value: 0.5, Measured: true}})
	table.Add("two", []Row{{Group: GroupSilent, Name: "recall", Unit: Share, Hits: 4, Of: 4, Value: 1, Measured: true}})
	var b strings.Builder
	require.NoError(t, table.Print(&b))
	lines := strings.Split(b.String(), "\n")
	require.True(t, strings.HasPrefix(lines[2], "| one | - | 50% |"), lines[2])
	require.True(t, strings.HasPrefix(lines[4], "| **all** | - | 83% |"), lines[4])
}

func TestBadTruthIsRefused(t *testing.T) {
	for text, want := range map[string]string{"": "no truth", "{}\n": "no truth", "x\n": "line 1"} {
		_, err := Read(strings.NewReader(text), deadline)
		require.ErrorContains(t, err, want)
	}
}

// A difference that comes back has the row of the one before: both openings
// count where they are known.
func TestOneThatComesBackCountsTwice(t *testing.T) {
	w := world(t, gap(5, "phone", "coerced"), closed(15, "phone"), gap(30, "phone", "coerced"), closed(40, "phone"))
	last := Divergence{ID: "d", Integration: sync, Object: "contact", SourceID: "1", Field: "phone", FirstSeen: at(31), Confirmed: at(36), State: event.DivergenceResolved}
	before := last
	before.FirstSeen, before.Confirmed = at(6), at(11)
	f := &Findings{Divergences: []Divergence{last}}
	f.Add([]Divergence{before, before, last})
	require.Len(t, f.Divergences, 2)
	rows, _ := Score(w, f)
	recall := row(t, rows, GroupDivergences, "recall")
	require.Equal(t, []int{2, 2}, []int{recall.Hits, recall.Of})
}

func TestNothingIsRoundedUpToAllOfIt(t *testing.T) {
	for v, want := range map[float64]string{1: "100%", 0.9996: "99.9%", 0.9989: "99.8%", 0.991: "99.1%", 0.98: "98%", 0: "0%"} {
		require.Equal(t, want, percent(v))
	}
}
