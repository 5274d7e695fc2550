package warehouse_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// A row that the sink gave up is stored from its letter, and counts once
// however often, also beside the row itself.
func TestLettersAreRedoneOnce(t *testing.T) {
	db := warehousetest.New(t)
	raw, err := event.Encode(nil, delivery("d", 1, event.StateObserved))
	require.NoError(t, err)
	require.NoError(t, db.Insert(t.Context(), block("dead_letters", "l", 1,
		&event.DeadLetter{ID: "l1", Origin: "sink:deliveries", Code: "refused", Reason: "r", ReceivedAt: noon, Bytes: raw},
		&event.DeadLetter{ID: "l2", Origin: "hook:x", Code: "undecodable", Reason: "r", ReceivedAt: noon + 1})))
	found, err := db.Letters(t.Context(), nil, "", noon.Std(), 10)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, "l2", found[0].ID)
	found, err = db.Letters(t.Context(), []string{"l1"}, "", time.Now(), 10)
	require.NoError(t, err)
	require.Len(t, found, 1)
	for range 2 {
		require.NoError(t, db.Redo(t.Context(), "l1", found[0].Origin, []byte(found[0].Bytes)))
	}
	require.NoError(t, db.Insert(t.Context(), block("deliveries", "d", 5, delivery("d", 1, event.StateObserved))))
	require.Equal(t, 1, count(t, db, "deliveries"))
	require.Error(t, db.Redo(t.Context(), "l2", "hook:x", nil))
}

func TestDownloadIsWholeOrAnError(t *testing.T) {
	db := warehousetest.New(t)
	var out bytes.Buffer
	require.NoError(t, db.Download(t.Context(), &out, "SELECT number FROM numbers(3)", "CSVWithNames"))
	require.Equal(t, "\"number\"\n0\n1\n2\n", out.String())
	out.Reset()
	require.NoError(t, db.Download(t.Context(), &out, "SELECT * FROM retry_health", "Parquet"))
	require.True(t, bytes.HasPrefix(out.Bytes(), []byte("PAR1")))
	require.ErrorContains(t, db.Download(t.Context(), &out, "SELECT * FROM nowhere", "CSV"), "nowhere")
	require.Error(t, db.Download(t.Context(), &out, "INSERT INTO signals_raw (signal_id) VALUES ('x')", "CSV"))
	require.Error(t, db.Download(t.Context(), &out, "SELECT throwIf(number = 2000000) FROM numbers(3000000)", "CSV"))
}
