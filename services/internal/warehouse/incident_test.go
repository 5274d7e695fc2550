package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// The failures of an incident are one query away: those of its fingerprints,
// from its onset to the last one, also when it was told later.
func TestFailuresOfAnIncident(t *testing.T) {
	db := warehousetest.New(t)
	failure := func(id, fingerprint string, at event.Time) event.Event {
		return &event.Failure{
			ID: id, Integration: "i", AttemptID: id, Provider: "salesforce", Object: "contact", OccurredAt: at, ReceivedAt: at,
			Origin: event.OriginError, Verdict: event.Verdict{Class: event.ClassSchema, Fingerprint: fingerprint},
		}
	}
	incident := func(id string, onset, last event.Time, version uint64, prints ...string) event.Event {
		return &event.Incident{
			ID: id, Integration: "i", Fingerprint: "group", Kind: event.IncidentOfFailures, State: event.IncidentResolved, OnsetAt: onset,
			DetectedAt: onset, LastAt: last, Fingerprints: prints, Version: version, UpdatedAt: last,
		}
	}
	require.NoError(t, db.Insert(t.Context(), block("failures", "f", 1,
		failure("a-before", "p1", noon), failure("b-first", "p1", noon+1000), failure("c-other-print", "p2", noon+2000), failure("d-alien", "p9", noon+2000),
		failure("e-last", "p1", noon+5000), failure("f-between", "p1", noon+6000), failure("g-again", "p1", noon+9000))))
	require.NoError(t, db.Insert(t.Context(), block("incidents", "i", 1, incident("i1", noon+1000, noon+2000, 1, "p1"),
		incident("i1", noon+1000, noon+5000, 2, "p1", "p2"), incident("i2", noon+9000, noon+9000, 3, "p1"))))

	var rows []struct {
		ID       string `ch:"failure_id"`
		Incident string `ch:"incident_id"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, "SELECT failure_id, incident_id FROM failures WHERE tenant = 'default' ORDER BY failure_id"))
	got := map[string]string{}
	for _, r := range rows {
		got[r.ID] = r.Incident
	}
	require.Equal(t, map[string]string{
		"a-before": "", "b-first": "i1", "c-other-print": "i1", "d-alien": "", "e-last": "i1", "f-between": "", "g-again": "i2",
	}, got)
	require.NoError(t, db.Query(t.Context(), &rows, "SELECT failure_id, incident_id FROM failures WHERE incident_id = 'i1'"))
	require.Len(t, rows, 3)
}
