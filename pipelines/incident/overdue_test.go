package incident_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/incident"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// An incident may be open for as long as its target, to the second, and no
// longer: two hours for P1, a day for P2, or what the integration's thresholds say.
func TestTargetOfAnOpenIncident(t *testing.T) {
	for _, tt := range []struct {
		priority   string
		thresholds map[string]float64
		records    []string
		target     event.Time
	}{
		{event.P1, nil, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}, 2 * event.Hour},
		{event.P1, map[string]float64{config.ThresholdMTTRP1: 60_000}, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}, event.Minute},
		{event.P2, nil, []string{"1"}, 24 * event.Hour},
		{event.P1, nil, []string{"1"}, 24 * event.Hour}, // one record of a P1 integration is a P2
		{event.P2, map[string]float64{config.ThresholdMTTRP2: 600_000}, []string{"1"}, 10 * event.Minute},
	} {
		n := incident.New(incident.Options{Integrations: []config.Integration{{ID: "hs-sf", Priority: tt.priority, Thresholds: tt.thresholds}}})
		w := &world{task: stream.NewTask(n, 0), now: start, seen: map[string]event.Incident{}}
		w.refused("contact", event.ClassSchema, "400", tt.records...)
		fired := func() (yes bool) {
			for _, o := range w.out.List {
				if a, ok := o.Event.(*event.Alert); ok && a.Rule == event.RuleMTTR {
					yes = a.Status == event.AlertFiring
				}
			}
			return yes
		}
		at := func(age event.Time) bool {
			w.now = start + age
			w.put(&event.Tick{At: w.now})
			return fired()
		}
		at(event.Second)
		require.False(t, at(tt.target-event.Second), "%+v", tt)
		require.False(t, at(tt.target), "%+v", tt)
		require.True(t, at(tt.target+event.Second), "%+v", tt)
	}
}
