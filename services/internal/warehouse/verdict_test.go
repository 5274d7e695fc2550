package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// A failure is seen through the verdict of its line and class that was open
// when it happened, also when the verdict came later.
func TestVerdictsOverlayFailures(t *testing.T) {
	db := warehousetest.New(t)
	failure := func(id, token string, at event.Time) *event.Failure {
		return &event.Failure{
			ID: id, Integration: "i", AttemptID: id, Provider: "salesforce", Object: "contact", OccurredAt: at, ReceivedAt: at,
			Origin: event.OriginError, Token: token, Verdict: event.Verdict{
				Class: event.ClassAuth, Recoverability: event.Permanent, Attribution: event.ByCustomer, Evidence: "invalid_grant",
			},
		}
	}
	verdict := func(version uint64, end event.Time) *event.CauseVerdict {
		return &event.CauseVerdict{
			ID: "v", Integration: "i", Provider: "salesforce", Token: "t1", Class: event.ClassAuth, Attribution: event.ByVendor,
			Recoverability: event.Temporary, Decided: true, Evidence: "9 of 10 customers fail alike", FirstStep: "hold",
			Start: noon + 1000, End: end, Version: version,
		}
	}
	require.NoError(t, db.Insert(t.Context(), block("failures", "f", 1,
		failure("before", "t1", noon), failure("during", "t1", noon+2000), failure("other", "t2", noon+2000), failure("after", "t1", noon+9000))))
	require.NoError(t, db.Insert(t.Context(), block("verdicts", "v", 1, verdict(7, 0), verdict(8, noon+5000))))

	var rows []struct {
		ID             string `ch:"failure_id"`
		Attribution    string `ch:"attribution"`
		Recoverability string `ch:"recoverability"`
		Own            string `ch:"classified_recoverability"`
		Verdict        string `ch:"verdict_id"`
		Class          string `ch:"class"`
		OwnClass       string `ch:"classified_class"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, `SELECT failure_id, attribution, recoverability, classified_recoverability, verdict_id, class, classified_class
		FROM failures WHERE tenant = 'default' ORDER BY failure_id`))
	require.Len(t, rows, 4)
	for _, r := range rows {
		require.Equal(t, []string{event.Permanent, event.ClassAuth}, []string{r.Own, r.OwnClass})
		if r.ID == "during" {
			require.Equal(t, []string{event.ByVendor, event.Temporary, "v", event.ClassVendorOutage},
				[]string{r.Attribution, r.Recoverability, r.Verdict, r.Class})
			continue
		}
		require.Equal(t, []string{event.ByCustomer, event.Permanent, "", event.ClassAuth},
			[]string{r.Attribution, r.Recoverability, r.Verdict, r.Class}, r.ID)
	}
	require.Equal(t, 1, count(t, db, "verdicts"), "two revisions of one verdict")
}
