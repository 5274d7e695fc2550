package accesslog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func read(t *testing.T, format, text string) (lines []Line, bad []string) {
	t.Helper()
	require.NoError(t, Read(format, strings.NewReader(text), func(l Line) error {
		lines = append(lines, l)
		return nil
	}, func(n int, err error) { bad = append(bad, fmt.Sprint(n, ": ", err)) }))
	return lines, bad
}

func TestSalesforceEventLog(t *testing.T) {
	lines, bad := read(t, "sf-event-log", "\ufeff"+`"EVENT_TYPE","TIMESTAMP","REQUEST_ID","ORGANIZATION_ID","USER_ID","CLIENT_IP","USER_AGENT","CONNECTED_APP_NAME","ENTITY_NAME","METHOD","URI","ROWS_PROCESSED","STATUS_CODE"
"RestApi","20261103101530.123","R1","00D1","005A","185.220.101.7","python-requests/2.32","Drift","Case","GET","/services/data/v62.0/query","2000","200"
"RestApi","20261103101531.000","R2","00D1","005A","185.220.101.7","python-requests/2.32","Drift","","DELETE","/services/data/v62.0/jobs/query/750x","","204"
"BulkApi2","20261103101532.000","R3","00D1","005A","185.220.101.7","python-requests/2.32","Drift","Account","QUERY","","80000",""
"RestApi","20261103101533.000","R4","00D1","005B","10.0.0.1","Mozilla","","Contact","GET","/x","1","200"
"RestApi","20261103101534.000","R5","00D1","005A","10.0.0.1","sync","Drift","Lead","PATCH","/x","1","403"
"ApexTrigger","20261103101535.000","R6","00D1","005A","10.0.0.1","sync","Drift","Lead","","","",""
"RestApi","yesterday","R7","00D1","005A","10.0.0.1","sync","Drift","Lead","GET","/x","1","200"
`)
	require.Equal(t, []Line{
		{
			ID: "RestApi/R1/Case", System: "salesforce", Account: "00D1", Token: "Drift", At: "2026-11-03T10:15:30.123Z", Operation: "query", Object: "Case",
			Rows: 2000, Network: "185.220.101.7", UserAgent: "python-requests/2.32",
		},
		{
			ID: "RestApi/R2/", System: "salesforce", Account: "00D1", Token: "Drift", At: "2026-11-03T10:15:31.000Z", Operation: "job_delete",
			Network: "185.220.101.7", UserAgent: "python-requests/2.32",
		},
		{
			ID: "BulkApi2/R3/Account", System: "salesforce", Account: "00D1", Token: "Drift", At: "2026-11-03T10:15:32.000Z", Operation: "export", Object: "Account",
			Rows: 80000, Network: "185.220.101.7", UserAgent: "python-requests/2.32",
		},
		{
			ID: "RestApi/R5/Lead", System: "salesforce", Account: "00D1", Token: "Drift", At: "2026-11-03T10:15:34.000Z", Operation: "write", Object: "Lead", Rows: 1,
			Network: "10.0.0.1", UserAgent: "sync", Failed: true,
		},
	}, lines)
	require.Equal(t, []string{`8: TIMESTAMP "yesterday" is not written as 20261103101530.123`}, bad)
}

func TestLoginHistoryAndPlain(t *testing.T) {
	lines, bad := read(t, "sf-login-history", `Id,LoginTime,SourceIp,Application,Browser,Status
0Ya1,2026-11-03T10:00:00.000Z,185.220.101.7,Drift,Python Requests,Success
0Ya2,2026-11-03T10:00:00.000Z,10.0.0.1,Browser,Chrome,Success
0Ya3,2026-11-03T10:01:00.000Z,185.220.101.7,Drift,Python Requests,Invalid Password
`)
	require.Empty(t, bad)
	require.Len(t, lines, 2)
	require.True(t, lines[1].Failed)

	lines, bad = read(t, "csv", "system,token,at,operation,object\nhubspot,app-7,2026-11-03T10:00:00Z,export,contact\nhubspot,,2026-11-03T10:00:00Z,export,contact\n")
	require.Len(t, lines, 1)
	require.Equal(t, []string{"3: token is missing"}, bad)
}

func TestRefusals(t *testing.T) {
	require.ErrorContains(t, Read("xml", strings.NewReader(""), nil, nil), "the formats are sf-event-log")
	require.ErrorContains(t, Read("csv", strings.NewReader(""), nil, nil), "has to name the columns")
	_, bad := read(t, "sf-event-log", "a,b\n1,2\n")
	require.Contains(t, bad[0], "EVENT_TYPE")
}

func FuzzRead(f *testing.F) {
	f.Add("sf-event-log", "EVENT_TYPE,CONNECTED_APP_NAME\nRestApi,x\n")
	f.Add("csv", "a,\"b\n1")
	f.Fuzz(func(_ *testing.T, format, text string) {
		_ = Read(format, strings.NewReader(text), func(Line) error { return nil }, func(int, error) {})
	})
}
