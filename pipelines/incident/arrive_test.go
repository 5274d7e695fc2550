package incident_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/incident"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

func (w *world) stalled(object string, records ...string) {
	w.partial(object, func(p *event.Partial) {
		p.Deliveries = []event.DeliveryCount{{
			Was: event.StateObserved, State: event.StateStalled, N: int64(len(records)), Records: records, Oldest: w.now - 5*event.Minute, Due: w.now,
		}}
	})
}

// Where nobody reports attempts, a change that is overdue and a copy that is
// seen not to hold it are one trouble, and nobody says that it was not tried.
func TestWhatDoesNotArriveIsOneIncident(t *testing.T) {
	w := newWorld()
	n := incident.New(incident.Options{Integrations: []config.Integration{{ID: "hs-sf", Priority: event.P1, Attempts: config.AttemptsNone}}})
	w.task = stream.NewTask(n, 0)
	w.until(0)
	w.stalled("contact", "1", "2")
	w.until(10 * event.Second)
	w.silent("contact", event.Stale, "other", "1")
	w.until(20 * event.Second)
	w.stalled("contact", "3")
	w.silent("contact", event.Stale, "other", "3")
	w.until(2 * event.Minute)
	i := w.only(t)
	require.Equal(t, "changes do not arrive in time: contact", i.Title)
	require.Equal(t, []int64{3, 3}, []int64{i.Affected, i.Open})
	for _, r := range []string{"1", "2", "3"} {
		w.arrived("contact", r, w.now)
	}
	over := w.now - event.Second // the tick before
	w.until(20 * event.Minute)
	require.Equal(t, over, w.only(t).ResolvedAt)

	w.silent("contact", event.ValueMismatch, "truncated", "4") // bent on its way: another trouble
	w.until(22 * event.Minute)
	require.Len(t, w.seen, 2)
}

// What somebody edited in the target while a provider let nobody in is not held
// up by it: the provider's incident is over without it.
func TestAnOutageHoldsNoEditBack(t *testing.T) {
	w := newWorld()
	w.until(0)
	w.refused("contact", event.ClassRateLimit, "REQUEST_LIMIT_EXCEEDED", "1", "2", "3")
	w.until(event.Minute)
	w.differs("contact", "phone", event.Stale, "4", start+30*event.Second)
	w.differs("contact", "city", event.ValueMismatch, "5", start+30*event.Second)
	w.until(2 * event.Minute)
	require.ElementsMatch(t, []string{
		"salesforce takes no more calls (REQUEST_LIMIT_EXCEEDED): contact", "records differ: contact.city value mismatch",
	}, w.titles())
	for _, i := range w.seen {
		if i.Kind == event.IncidentOfFailures {
			require.Equal(t, int64(4), i.Affected)
		}
	}
}
