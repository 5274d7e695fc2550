package reconcile

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

// A source that says it lost changes gets a comparison before the plan has one.
func TestALossAsksForAComparison(t *testing.T) {
	w := newWorld(t)
	r := w.role()
	s := r.subjects[0]
	require.NoError(t, w.db.Exec(t.Context(), "TRUNCATE TABLE signals_raw"))
	last := event.At(time.Now().Add(-time.Hour))
	tell := func(id, object string, ago time.Duration, detail string) {
		require.NoError(t, w.db.Exec(t.Context(), fmt.Sprintf(`INSERT INTO signals_raw (signal_id, tenant, integration, kind, system, object, started_at,
			received_at, detail) VALUES ('%s', 'default', 'hs-sf', 'source_lossy', 'salesforce', '%s', now64(3), now64(3) - %d, %s)`,
			id, object, int(ago.Seconds()), detail)))
	}
	asked := func() bool {
		ok, err := r.demanded(t.Context(), s, last)
		require.NoError(t, err)
		return ok
	}
	require.False(t, asked())
	tell("s1", "contact", 2*time.Hour, "map('compare', 'whole')")
	tell("s2", "contact", time.Minute, "map('record_id', '003')")
	tell("s3", "deal", time.Minute, "map('compare', 'whole')")
	require.False(t, asked(), "before the comparison, about one record, about another object")
	tell("s4", "Contact", time.Minute, "map('compare', 'whole')")
	require.True(t, asked(), "by the native name too")
	last = event.At(time.Now())
	require.False(t, asked(), "one comparison answers it")
}
