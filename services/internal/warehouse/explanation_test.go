package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// Divergences are seen through the explanations that cover them: by field, by
// the time they began, by who made them; a person's edit explains itself.
func TestDivergencesAndTheirCauses(t *testing.T) {
	db := warehousetest.New(t)
	agent := event.Actor{Kind: event.ActorAgent, ID: "cleaner"}
	user := event.Actor{Kind: event.ActorUser, ID: "005"}
	gap := func(id, field string, began event.Time, by event.Actor) *event.Divergence {
		return &event.Divergence{
			ID: id, Tenant: "t", Integration: "i", Object: "contact", RecordKey: id, Field: field, Kind: event.ValueMismatch, State: event.DivergenceConfirmed,
			SourceModifiedAt: began, SourceWriter: by, FirstSeenAt: began + 1000, ConfirmedAt: began + 2000, UpdatedAt: began + 2000, Version: 1,
		}
	}
	typed := gap("typed", "city", noon, user)
	typed.TargetModifiedAt, typed.TargetWriter = noon+10, user
	old := gap("old", "stage", noon+5000, user)
	old.PreExisting = true
	require.NoError(t, db.Insert(t.Context(), block("divergences", "d", 1,
		gap("before", "stage", noon-event.Hour, user), gap("after", "stage", noon+5000, user), gap("other", "phone", noon+5000, user),
		gap("agent", "stage", noon+6000, agent), typed, old,
	)))
	explain := func(id, cause, field string, by event.Actor, rank int, n int64) *event.Explanation {
		return &event.Explanation{
			ID: id, Tenant: "t", Integration: "i", Object: "contact", Field: field, Kind: event.SignalPicklistChange, Cause: cause, Rank: rank, From: noon, By: by,
			Divergences: n, Sentence: "evidence of " + cause, UpdatedAt: noon, Version: uint64(n),
		}
	}
	require.NoError(t, db.Insert(t.Context(), block("explanations", "x", 1,
		explain("x1", "picklist change", "stage", event.Actor{}, 2, 5), explain("x2", "edits by cleaner", "", agent, 1, 6),
		explain("x3", "taken back", "phone", event.Actor{}, 1, 0),
	)))
	causes := map[string]string{}
	var rows []struct {
		ID    string `ch:"divergence_id"`
		Cause string `ch:"cause"`
		Kind  string `ch:"cause_kind"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, "SELECT divergence_id, cause, cause_kind FROM divergences"))
	for _, r := range rows {
		causes[r.ID] = r.Kind + ": " + r.Cause
	}
	require.Equal(t, map[string]string{
		"before": "unexplained: unexplained", "after": "picklist_change: picklist change", "other": "unexplained: unexplained",
		"agent": "picklist_change: edits by cleaner; picklist change", "typed": "target_edit: edited in the target by user:005", "old": ": ",
	}, causes)
	var sums []struct {
		Cause    string `ch:"cause"`
		N        uint64 `ch:"divergences"`
		Sentence string `ch:"sentence"`
	}
	require.NoError(t, db.Query(t.Context(), &sums, "SELECT cause, divergences, sentence FROM drift_causes ORDER BY cause"))
	require.Len(t, sums, 5)
	require.Equal(t, "evidence of edits by cleaner", sums[1].Sentence)
}
