package streamtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// The later versions of a delivery show what changed, and only that.
func TestChanges(t *testing.T) {
	s, err := streamtest.Parse("x.txt", "at 10:00:00 change hubspot contact 101 id=c2\n---- expect\n")
	require.NoError(t, err)
	show := func(d event.Delivery, at event.Time) string {
		return s.Changes(stream.Output{Topic: topic.Deliveries, Time: day + at, Event: &d})
	}
	d := event.Delivery{
		ID: event.DeliveryID("hs-sf", "contact", "101", "c1"), Object: "contact", RecordKey: "101", ChangeID: "c1",
		State: event.StateAcknowledged, LatencyBasis: event.BasisAcknowledged, LatencyMS: 5, UpdatedAt: day + 1000, Version: 7,
	}
	require.Equal(t, "00:00:01 delivery c1 acknowledged record_key=101 latency_ms=5 latency_basis=acknowledged", show(d, 1000))
	d.State, d.LatencyMS, d.SupersededBy = event.StateSuperseded, 0, event.DeliveryID("hs-sf", "contact", "101", "c2")
	d.UpdatedAt, d.Version = day+2000, 8
	require.Equal(t, "00:00:03 delivery c1 superseded superseded_by=c2 updated_at=00:00:02 -latency_ms", show(d, 3000))
	d.UpdatedAt = day + 4000
	require.Equal(t, "00:00:04 delivery c1 superseded", show(d, 4000))

	other := d
	other.ID = event.DeliveryID("another", "contact", "101", "c1")
	require.Contains(t, show(other, 4000), "superseded record_key=101", "another delivery is shown in full")
	require.Equal(t, "00:00:04 failure a1 - delivery_id=c2", s.Changes(stream.Output{
		Topic: topic.Failures, Time: day + 4000, Event: &event.Failure{AttemptID: "a1", DeliveryID: d.SupersededBy},
	}))
}

// An event of another integration is that integration's in its key, too.
func TestIntegrationOfOneLine(t *testing.T) {
	s, err := streamtest.Parse("x.txt", "at 10:00:00 change hubspot contact 101 id=c1 integration=two\n---- expect\n")
	require.NoError(t, err)
	r := s.Sections[0].Lines[0].Records[0]
	require.Equal(t, "two/contact/101", r.Key)
	require.Equal(t, "two", r.Event.(*event.Change).Integration)
}
