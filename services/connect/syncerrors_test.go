package connect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/classify"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

func TestSyncErrorsBecomeClassifiedAttempts(t *testing.T) {
	in := &config.Integration{
		ID: "hs-sf", Target: config.Endpoint{System: "salesforce"},
		Objects: []config.Object{{Name: "contact", Source: "contact"}, {Name: "company", Source: "company", Target: config.List[string]{"Account"}}},
	}
	const file = "\ufeffObject Type,HubSpot Record ID,Salesforce ID,Error Type,Error Message,Last Occurred\n" +
		"Contact,101,003A,Duplicate,\"DUPLICATES_DETECTED: Use one of these records? ann@example.com\",2026-11-20 10:15\n" +
		"Companies,201,,Field mapping,INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: bad value for restricted picklist field: X,2026-11-20T10:16:00Z\n" +
		"Contact,102,,API limit,REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.,\n" +
		"Contact,103,,Permission,INSUFFICIENT_ACCESS_OR_READONLY: insufficient access rights on object id,2026-11-20\n" +
		"Contact,,,Permission,nobody knows which,2026-11-20\n"
	got, skipped, err := SyncErrors(strings.NewReader(file), in, 1_800_000_000_000)
	require.NoError(t, err)
	require.Equal(t, 1, skipped)
	require.Len(t, got, 4)
	classes := []string{}
	classifier := classify.Default()
	for _, a := range got {
		require.NoError(t, a.Validate())
		classifier.Enrich(a)
		classes = append(classes, a.Verdict.Class)
	}
	require.Equal(t, []string{event.ClassDuplicate, event.ClassSchema, event.ClassRateLimit, event.ClassAuth}, classes)
	require.Equal(t, "company", got[1].Object)
	require.Equal(t, "2026-11-20T10:15:00.000Z", got[0].OccurredAt.String())
	require.EqualValues(t, 1_800_000_000_000, got[2].OccurredAt, "the export does not say")
	require.NotContains(t, got[0].Message, "ann@")
	again, _, _ := SyncErrors(strings.NewReader(file), in, 1_900_000_000_000)
	require.Equal(t, got[0].ID, again[0].ID, "imported twice, counted once")

	_, _, err = SyncErrors(strings.NewReader("a,b\n1,2\n"), in, 1)
	require.ErrorContains(t, err, "the headings are a, b")
}
