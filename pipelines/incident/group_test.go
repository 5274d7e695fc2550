package incident_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/incident"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const start = event.Time(1_764_064_800_000) // 10:00:00

// world folds partials and ticks, and keeps every incident as it was told last.
type world struct {
	task   *stream.Task
	out    stream.Out
	now    event.Time
	offset int64
	seen   map[string]event.Incident
}

func newWorld() *world {
	n := incident.New(incident.Options{Integrations: []config.Integration{{ID: "hs-sf", Priority: event.P1}}})
	return &world{task: stream.NewTask(n, 0), now: start, seen: map[string]event.Incident{}}
}

func (w *world) put(ev event.Event) {
	w.task.Process(&stream.Record{Topic: topic.Partials, Offset: w.offset, Time: w.now, Event: ev}, &w.out)
	w.offset++
	for _, o := range w.out.List {
		if i, ok := o.Event.(*event.Incident); ok {
			w.seen[i.ID] = *i
		}
	}
}

// until lets time pass, to a time after the start.
func (w *world) until(d event.Time) {
	for ; w.now <= start+d; w.now += event.Second {
		w.put(&event.Tick{At: w.now})
	}
}

func (w *world) partial(object string, change func(*event.Partial)) {
	p := &event.Partial{Integration: "hs-sf", Object: object, Second: w.now}
	change(p)
	w.put(p)
}

func (w *world) refused(object, class, code string, records ...string) {
	w.partial(object, func(p *event.Partial) {
		p.Provider, p.Token = "salesforce", "sync"
		p.Failures = []event.FailureCount{{
			Class: class, Code: code, Fingerprint: "fp-" + code, Recoverability: event.Permanent, Attribution: event.ByUnknown, Origin: event.OriginError,
			Operation: event.OpUpdate, N: int64(len(records)), Records: records, First: w.now, Last: w.now,
		}}
	})
}

// silent is an acknowledged write that was never taken, known a deadline later.
func (w *world) silent(object, kind, difference, record string) {
	w.partial(object, func(p *event.Partial) {
		p.Failures = []event.FailureCount{{
			Class: event.ClassOther, Code: difference, Rule: "inferred/" + kind, Origin: event.OriginInferred, Operation: event.OpUpdate, N: 1,
			Records: []string{record}, First: w.now - 5*event.Minute, Last: w.now - 5*event.Minute,
		}}
	})
}

func (w *world) differs(object, field, kind, record string, since event.Time) {
	w.partial(object, func(p *event.Partial) {
		p.Divergences = []event.DivergenceCount{{
			Minute: w.now, Field: field, Kind: kind, State: event.DivergenceConfirmed, N: 1, Records: []string{record}, First: since, Settled: w.now,
		}}
	})
}

func (w *world) arrived(object, record string, at event.Time) {
	w.partial(object, func(p *event.Partial) {
		p.Attempts = []event.AttemptCount{{Operation: event.OpUpdate, Outcome: event.OutcomeOK, N: 1}}
		p.Provider = "salesforce"
		p.Deliveries = []event.DeliveryCount{{
			Was: event.StateFailed, State: event.StateApplied, N: 1, Records: []string{record}, Oldest: at, Settled: at,
		}}
	})
}

func (w *world) only(t *testing.T) event.Incident {
	t.Helper()
	require.Len(t, w.seen, 1, "%v", w.titles())
	for _, i := range w.seen {
		return i
	}
	return event.Incident{}
}

func (w *world) titles() (list []string) {
	for _, i := range w.seen {
		list = append(list, i.Title)
	}
	return list
}

// A provider that lets nobody in is one incident, whatever was to be written,
// however it refuses, and whatever was held up by it.
func TestRefusedCredentialIsOneIncident(t *testing.T) {
	w := newWorld()
	w.until(0)
	w.refused("contact", event.ClassAuth, "INVALID_SESSION_ID", "1", "2")
	w.until(10 * event.Second)
	w.refused("deal", event.ClassAuth, "INVALID_SESSION_ID", "7")
	w.refused("company", event.ClassNetwork, "", "9")
	w.until(6 * event.Minute)
	w.partial("contact", func(p *event.Partial) { // a change that the worker, in its pause, did not even try
		p.Deliveries = []event.DeliveryCount{{State: event.StateStalled, N: 1, Oldest: start + event.Minute, Due: start, Records: []string{"3"}}}
	})
	w.refused("deal", event.ClassAuth, "INVALID_SESSION_ID", "7")
	w.differs("deal", "amount", event.Stale, "8", start+5*event.Minute)
	w.until(7 * event.Minute)
	i := w.only(t)
	require.Equal(t, "salesforce refuses the credential (INVALID_SESSION_ID): contact, deal, company", i.Title)
	require.Equal(t, event.ClassAuth, i.Class)
	require.Equal(t, event.P1, i.Priority)
	require.EqualValues(t, 6, i.Affected)
	require.Equal(t, start+event.Second, i.DetectedAt)
}

// What begins to differ when the trouble is over has a cause of its own.
func TestWhatComesAfterIsAnother(t *testing.T) {
	w := newWorld()
	w.until(0)
	w.refused("contact", event.ClassAuth, "INVALID_SESSION_ID", "1")
	w.until(5 * event.Minute)
	w.differs("deal", "amount", event.ValueMismatch, "8", w.now)
	w.until(6 * event.Minute)
	require.Len(t, w.seen, 2)
}

// Values bent in transit are one trouble over all objects and fields; writes
// that leave no trace are another.
func TestSilentFailuresAreTwoIncidentsAtMost(t *testing.T) {
	w := newWorld()
	w.until(0)
	w.differs("contact", "jobtitle", event.ValueMismatch, "1", start) // told a moment before its failure
	w.silent("contact", event.ValueMismatch, "truncated", "1")
	w.until(event.Minute)
	w.silent("deal", event.ValueMismatch, "truncated", "2")
	w.silent("deal", event.ValueMismatch, "other", "3") // could be either
	w.until(2 * event.Minute)
	require.Equal(t, "acknowledged and never taken: contact (truncated), deal, deal (truncated)", w.only(t).Title)
	w.silent("company", event.Stale, "other", "4")
	w.differs("company", "name", event.ValueMismatch, "5", w.now) // a lost write that no report tells of
	w.until(3 * event.Minute)
	require.Len(t, w.seen, 2, "%v", w.titles())
}

// Refusals of one code are one incident of their object, in whatever words.
func TestRefusedValuesAreTheObjects(t *testing.T) {
	w := newWorld()
	w.until(0)
	w.refused("contact", event.ClassSchema, "INVALID_FIELD", "1")
	w.refused("contact", event.ClassSchema, "INVALID_FIELD", "2")
	w.until(event.Minute)
	require.EqualValues(t, 2, w.only(t).Affected)
	w.refused("deal", event.ClassSchema, "INVALID_FIELD", "3")
	w.until(2 * event.Minute)
	require.Len(t, w.seen, 2, "another object's map is another step to take")
}

// An incident is over when its last record was right, by the record's own
// time: not when that was noticed, nor when the flap hold ended.
func TestOverWhenTheLastRecordWasRight(t *testing.T) {
	w := newWorld()
	w.until(0)
	w.refused("contact", event.ClassSchema, "INVALID_FIELD", "1", "2")
	w.until(10 * event.Minute)
	w.arrived("contact", "1", start+9*event.Minute)
	w.until(15 * event.Minute)
	w.arrived("contact", "2", start+12*event.Minute) // seen three minutes late, by a poll
	w.until(21 * event.Minute)
	require.Equal(t, event.IncidentMitigated, w.only(t).State, "it might come back within the hold")
	w.until(23 * event.Minute)
	i := w.only(t)
	require.Equal(t, event.IncidentResolved, i.State)
	require.Equal(t, start+12*event.Minute, i.ResolvedAt)
}

// Coming back within the hold is the same incident, later another one.
func TestComingBack(t *testing.T) {
	w := newWorld()
	w.until(0)
	w.refused("contact", event.ClassSchema, "INVALID_FIELD", "1")
	w.until(event.Minute)
	w.arrived("contact", "1", w.now)
	w.until(10 * event.Minute)
	w.refused("contact", event.ClassSchema, "INVALID_FIELD", "1")
	w.until(11 * event.Minute)
	require.Equal(t, 1, w.only(t).Reopened)
	w.arrived("contact", "1", w.now)
	w.until(22 * event.Minute)
	require.Equal(t, event.IncidentResolved, w.only(t).State)
	w.refused("contact", event.ClassSchema, "INVALID_FIELD", "1")
	w.until(23 * event.Minute)
	require.Len(t, w.seen, 2)
	for _, i := range w.seen {
		if i.State != event.IncidentResolved {
			require.Equal(t, 2, i.Recurrence, "the same fingerprint")
		}
	}
}
