package incident_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

// What explains other differences of the integration is not said of an incident
// that began when that cause was over.
func TestACauseThatWasOverExplainsNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		to   event.Time
		want string
	}{
		"over before it began": {start + 10*event.Minute, ""},
		"over since":           {start + 21*event.Minute, "7 of 7 began with the outage"},
		"not over":             {0, "7 of 7 began with the outage"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.until(20 * event.Minute)
			w.differs("contact", "email", event.ValueMismatch, "1", w.now-event.Second)
			w.until(21 * event.Minute)
			w.put(&event.Explanation{
				Tenant: "t", Integration: "hs-sf", Kind: "verdict", Rank: 1, From: start, To: tt.to, Divergences: 7, Of: 7,
				Sentence: "7 of 7 began with the outage", FirstStep: "hold",
			})
			w.until(22 * event.Minute)
			require.Equal(t, tt.want, w.only(t).Evidence)
		})
	}
}
