package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// The list holds what is wrong now, each once: by its differences where there
// are any, else by the delivery, always by the newest version of both.
func TestSilentFailuresAreListedOnce(t *testing.T) {
	db := warehousetest.New(t)
	delivery := func(id string, version int, state, superseded string, acknowledged, coerced bool) {
		at := "NULL"
		if acknowledged {
			at = "'2026-01-01 10:00:00'"
		}
		require.NoError(t, db.Exec(t.Context(), fmt.Sprintf(`INSERT INTO deliveries_raw (tenant, integration, object, record_key, delivery_id, received_at, state,
			superseded_by, acknowledged_at, coerced, version, _rank) VALUES ('t', 'i', 'contact', 'of %s', '%s', '2026-01-01 09:00:00', '%s', '%s', %s, %t, %d, %d)`,
			id, id, state, superseded, at, coerced, version, version)))
	}
	difference := func(id, of string, version int, state string) {
		require.NoError(t, db.Exec(t.Context(), fmt.Sprintf(`INSERT INTO divergences_raw (tenant, integration, object, record_key, divergence_id, delivery_id, field,
			kind, state, first_seen_at, version, _rank) VALUES ('t', 'i', 'contact', 'of %s', '%s', '%s', 'phone', 'value_mismatch', '%s', '2026-01-01 11:00:00', %d, %d)`,
			of, id, of, state, version, version)))
	}
	delivery("a", 1, "not_applied", "", true, false)
	delivery("b", 1, "not_applied", "", true, true) // another value was written
	delivery("c", 1, "not_applied", "", true, false)
	delivery("c", 2, "applied", "", true, false) // healed
	delivery("d", 1, "not_applied", "", true, false)
	delivery("d", 2, "not_applied", "e", true, false) // replaced
	delivery("f", 1, "not_applied", "", true, false)  // and its fields differ: told by them, not twice
	difference("f1", "f", 1, "confirmed")
	difference("f2", "f", 1, "confirmed")
	delivery("g", 1, "applied", "", true, false) // seen to differ by a comparison only
	difference("g1", "g", 1, "confirmed")
	delivery("h", 1, "attempted", "", false, false) // nobody said that it was well
	difference("h1", "h", 1, "confirmed")
	delivery("j", 1, "not_applied", "", true, false) // the difference is gone, the delivery's state stands
	difference("j1", "j", 1, "confirmed")
	difference("j1", "j", 2, "resolved")
	delivery("k", 1, "applied", "", true, false)
	difference("k1", "k", 1, "confirmed")
	difference("k1", "k", 2, "resolved")

	var rows []struct {
		Row string `ch:"row"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, `SELECT concat(delivery_id, ' ', record_key, ' ', divergence_id, ' ', field, ' ', kind, ' ', difference) AS row
		FROM silent_failures WHERE isNotNull(acknowledged_at) ORDER BY row`))
	got := make([]string, len(rows))
	for i, r := range rows {
		got[i] = r.Row
	}
	require.Equal(t, []string{
		"a of a   not_applied ", "b of b   not_applied coerced", "f of f f1 phone value_mismatch ", "f of f f2 phone value_mismatch ",
		"g of g g1 phone value_mismatch ", "j of j   not_applied ",
	}, got)
}
