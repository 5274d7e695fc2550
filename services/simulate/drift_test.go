package simulate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/scenario"
)

func playFaults(t *testing.T, reports string, faults ...scenario.Fault) []truth.Line {
	t.Helper()
	s, err := scenario.Load("../../scenarios/quiet_week.yaml")
	require.NoError(t, err)
	s.Length, s.Traffic.Rate, s.Population, s.Worker.Reports = config.Duration(16*time.Minute), 0.8, 40, reports
	s.Traffic.TargetEdits = 0
	for _, f := range faults {
		k := f.Kind()
		f.At, f.Share, f.Factor = config.Duration(30*time.Second), max(f.Share, k.Share), max(f.Factor, k.Factor)
		s.Faults = append(s.Faults, f)
	}
	return lines(t, truthOf(t, s))
}

// A field whose rule lets the target keep its value differs only where the
// sync said that it wrote it.
func TestARuleExcusesWhatNobodyClaimed(t *testing.T) {
	phones := func(reports string) (n int) {
		for _, l := range playFaults(t, reports, scenario.Fault{Fault: scenario.AckAndDrop, Share: 0.5}) {
			if l.Kind == truth.Divergence && l.Field == "phone" && l.Object == "contact" {
				n++
			}
		}
		return n
	}
	require.Zero(t, phones(config.AttemptsNone))
	require.NotZero(t, phones(config.AttemptsFull))
}

// A stopped worker makes a field differ when the deadline of its newest save
// has passed, and a deleted record when that of its deletion has.
func TestWhatWaitsDiffersFromItsOwnDeadlineOn(t *testing.T) {
	saved, deleted, fields := map[string]int64{}, map[string]int64{}, 0
	for _, l := range playFaults(t, config.AttemptsFull, scenario.Fault{Fault: scenario.StoppedWorker}) {
		key := l.Object + l.SourceID
		switch {
		case l.Kind == truth.Change && l.Operation == event.OpDelete:
			deleted[key] = int64(l.At)
		case l.Kind == truth.Change:
			for _, f := range l.Fields {
				saved[key+f] = int64(l.At)
			}
		case l.Kind != truth.Divergence:
		case l.Type == event.MissingInSource:
			require.Equal(t, deleted[key]+300_000, int64(l.At))
			require.True(t, l.Due)
		case l.Field != "" && int64(l.At) > start.UnixMilli()+6*60_000:
			fields++
			require.InDelta(t, saved[key+l.Field]+300_000, int64(l.At), 2)
			require.True(t, l.Due)
		}
	}
	require.NotZero(t, fields)
}

// A write that leaves out a field of a change does not deliver it.
func TestAChangeIsDeliveredWithItsLastField(t *testing.T) {
	r := &pair{changes: []carried{{"later", 0b100}}}
	s := &sent{r: r, mask: 0b011, changes: []carried{{"whole", 0b001}, {"part", 0b110}, {"create", 0}}}
	s.taken()
	require.Equal(t, []string{"whole", "create"}, idsOf(s.changes))
	require.Equal(t, []carried{{"part", 0b100}, {"later", 0b100}}, r.changes)
}

// A worker without care names no key, creates again what it had no answer to,
// and does not wait for what Retry-After says; the others do.
func TestACarelessWorkerMakesDuplicates(t *testing.T) {
	play := func(careless bool) (early, again, twice int) {
		s, err := scenario.Load("../../scenarios/careless_worker.yaml")
		require.NoError(t, err)
		s.Worker.Careless = careless
		failed := map[string]truth.Line{}
		for _, l := range lines(t, truthOf(t, s)) {
			switch {
			case l.Kind == truth.Divergence && l.Type == event.Duplicate:
				twice++
			case l.Kind == truth.Attempt && event.IsWrite(l.Operation):
				require.Equal(t, careless, l.Keyless)
				key := l.Object + l.SourceID
				if was, ok := failed[key]; ok {
					early += map[bool]int{true: 1}[int64(l.At-was.At) < 1000*was.RetryAfter]
					again += map[bool]int{true: 1}[was.Status == 0 && was.Operation == event.OpCreate && l.Operation == event.OpCreate]
				}
				if delete(failed, key); l.Outcome == event.OutcomeError {
					failed[key] = l
				}
			}
		}
		return early, again, twice
	}
	early, again, twice := play(true)
	require.NotZero(t, early)
	require.NotZero(t, again)
	require.NotZero(t, twice)
	early, _, twice = play(false)
	require.Zero(t, early)
	require.Zero(t, twice)
}

// A person whom a colleague typed in is the record's counterpart by the key they
// share, and nobody's once the sync has made a copy of its own.
func TestWhatIsTypedInIsTheCounterpartUntilThereIsACopy(t *testing.T) {
	typed, copied := map[string]bool{}, map[string]string{}
	there, fields, orphans := 0, 0, 0
	for _, l := range playFaults(t, config.AttemptsFull, scenario.Fault{Fault: scenario.DuplicateRule}) {
		switch {
		case l.Kind == truth.Change && l.There:
			there++
		case l.Kind == truth.Change && l.System == "salesforce" && l.Operation == event.OpCreate:
			typed[l.TargetID] = true
		case l.Kind == truth.Write && l.Operation == event.OpCreate:
			copied[l.SourceID] = l.TargetID
		case l.Kind == truth.Divergence && l.Field != "" && typed[l.TargetID]:
			require.Empty(t, copied[l.SourceID], "it has a copy")
			fields++
		case l.Kind == truth.Divergence && l.Type == event.MissingInSource && typed[l.TargetID]:
			orphans++
		}
	}
	require.NotZero(t, there)
	require.NotZero(t, fields)
	require.NotZero(t, orphans)
}

// A field that was away is late as soon as it is back: what the sync writes then
// was saved long ago, and begins no new deadline.
func TestWhatIsTriedAgainHasNoNewDeadline(t *testing.T) {
	late := 0
	renamed := scenario.Fault{Fault: scenario.FieldRenamed, Object: "contact", Field: "jobtitle", For: config.Duration(8 * time.Minute)}
	for _, l := range playFaults(t, config.AttemptsFull, renamed) {
		if l.Kind == truth.Divergence && l.Field == "jobtitle" && int64(l.At) == start.Add(8*time.Minute+30*time.Second).UnixMilli() {
			require.True(t, l.Due)
			late++
		}
	}
	require.NotZero(t, late)
}
