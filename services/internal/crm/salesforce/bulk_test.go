package salesforce

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	simcrm "plumbline.dev/services/simulate/crm"
	fake "plumbline.dev/services/simulate/salesforce"
)

func always(o *Options) { o.BulkFrom = 1 }

// collect reads everything, and how many calls that took.
func collect(t *testing.T, r *Reader, q crm.Query) (map[string]crm.Record, int64) {
	t.Helper()
	before := r.call.Budget.Calls()
	out := map[string]crm.Record{}
	require.NoError(t, r.All(t.Context(), q, func(p crm.Page) error {
		for _, x := range p.Records {
			_, twice := out[x.ID]
			require.False(t, twice, "%s comes twice", x.ID)
			out[x.ID] = x
		}
		return nil
	}))
	return out, r.call.Budget.Calls() - before
}

// TestBothWaysReadTheSame: what a value is does not depend on the way.
func TestBothWaysReadTheSame(t *testing.T) {
	w, r := open(t, 5100, good, fake.Options{})
	w.table.Update(w.table.Rows[7], map[string]string{"LastName": "a \"quoted\", name\nin two lines", "Score__c": "", "Email": ""}, "005X", day+1)
	w.table.Delete(w.table.Rows[9], "005X", day+2)
	q := contacts
	q.Fields = append(q.Fields, "LastName")
	plain, _ := collect(t, r, q)
	require.Len(t, plain, 5099)

	r.bulk = 5000
	bulk, calls := collect(t, r, q)
	require.Equal(t, plain, bulk)
	require.LessOrEqual(t, calls, 1+r.Cost(crm.ByAll, 5100), "one more, to count")
	require.Zero(t, w.server.Jobs(), "nothing is left behind")

	q.Expect, q.Scope = 5100, `LastName LIKE 'O\'Neill 1%'`
	scoped, calls := collect(t, r, q)
	require.Len(t, scoped, 1111)
	require.LessOrEqual(t, calls, r.Cost(crm.ByAll, 5100))
}

func TestCostSaysWhatBulkSaves(t *testing.T) {
	_, r := open(t, 0, good, fake.Options{})
	require.EqualValues(t, 10, r.Cost(crm.ByAll, 19_999))
	require.EqualValues(t, 30, r.Cost(crm.ByAll, 1_000_000))
	require.EqualValues(t, 500, r.Cost(crm.ByModified, 1_000_000))
}

// TestABulkReadGoesOn: a process killed at any page finds its job again, and
// neither loses a record nor reads one twice.
func TestABulkReadGoesOn(t *testing.T) {
	_, r := open(t, 6500, good, fake.Options{}, always)
	seen := map[string]bool{}
	q := contacts
	killed := errors.New("killed")
	for lives, ended := 0, false; !ended; lives++ {
		require.Less(t, lives, 20)
		first := true
		err := r.All(t.Context(), q, func(p crm.Page) error {
			if !first {
				return killed
			}
			first = len(p.Records) == 0
			for _, x := range p.Records {
				require.False(t, seen[x.ID])
				seen[x.ID] = true
			}
			require.NotZero(t, p.At, "what a job holds is as old as the job")
			q.After = p.Next
			return nil
		})
		ended = err == nil
	}
	require.Len(t, seen, 6500)
	require.Equal(t, 1, strings.Count(q.After, "7505f"))
}

// TestAJobThatEndsIsMadeAnew: aborted by an administrator, forgotten by the
// vendor, or failed; at last pages do.
func TestAJobThatEndsIsMadeAnew(t *testing.T) {
	w, r := open(t, 2500, good, fake.Options{}, always)
	q := contacts
	stop := errors.New("stop")
	require.ErrorIs(t, r.All(t.Context(), q, func(p crm.Page) error { q.After = p.Next; return stop }), stop)
	w.server.AbortJobs()
	got, _ := collect(t, r, q)
	require.Len(t, got, 2500)

	q.After = place{job: "7505f00000099999AAA", at: 1}.String()
	got, _ = collect(t, r, q)
	require.Len(t, got, 2500)
	require.Zero(t, w.server.Jobs())

	fails := 0
	_, r = open(t, 2500, good, fake.Options{JobFails: func(string) string { fails++; return "InternalServerError: retry" }}, always)
	got, _ = collect(t, r, contacts)
	require.Len(t, got, 2500)
	require.Equal(t, 2, fails, "and then by pages")
}

// TestWhatBulkDoesNotServe is read by pages: a kind of record, or an edition.
func TestWhatBulkDoesNotServe(t *testing.T) {
	_, r := open(t, 2500, good, fake.Options{Fault: func(q *http.Request) (simcrm.Answer, bool) {
		return simcrm.Refuse(http.StatusBadRequest, "INVALIDENTITY", "Entity 'Contact' is not supported by the Bulk API."), strings.Contains(q.URL.Path, "/jobs/")
	}}, always)
	got, _ := collect(t, r, contacts)
	require.Len(t, got, 2500)

	_, r = open(t, 5, good, fake.Options{Fault: func(q *http.Request) (simcrm.Answer, bool) {
		return simcrm.Refuse(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), strings.Contains(q.URL.Path, "/jobs/")
	}}, always)
	err := r.All(t.Context(), contacts, func(crm.Page) error { return nil })
	require.Equal(t, crm.KindLimit, crm.KindOf(err), "a limit is no reason to read in a way that costs more")
}

// TestResultsThatBreakOff are asked for again; what came is not told twice.
func TestResultsThatBreakOff(t *testing.T) {
	w := &world{table: simcrm.NewTable("Contact", []simcrm.Field{{Name: "Email"}}, simcrm.SalesforceID("003"))}
	for i := range 5000 {
		w.table.Insert(map[string]string{"Email": fmt.Sprint(i)}, "", "", day)
	}
	server := fake.New(fake.Options{
		Lock: w, Tables: []*simcrm.Table{w.table}, Org: &simcrm.Salesforce{}, OrgID: "00D5f000001abcDEAQ", ClientID: "id", Secret: "secret",
		Now: func() int64 { return day },
	})
	broken := 0
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		if !strings.HasSuffix(q.URL.Path, "/results") || broken > 1 {
			server.ServeHTTP(rw, q)
			return
		}
		broken++
		whole := httptest.NewRecorder()
		server.ServeHTTP(whole, q)
		maps.Copy(rw.Header(), whole.Header())
		_, _ = rw.Write(whole.Body.Bytes()[:whole.Body.Len()/3*broken]) // ends as if complete
	}))
	t.Cleanup(s.Close)
	_, r := open(t, 0, good, fake.Options{}, always, func(o *Options) { o.BaseURL = s.URL })
	got, _ := collect(t, r, crm.Query{Object: "Contact", Fields: []string{"Email"}})
	require.Len(t, got, 5000)
	require.Equal(t, 2, broken)
}

// TestBulkTranscript holds the reader to bodies and headers as the vendor
// documents them, and not only to our own fake.
func TestBulkTranscript(t *testing.T) {
	s := replay(t, "testdata/bulk.txt")
	_, r := open(t, 0, Auth{Token: "t"}, fake.Options{}, always, func(o *Options) { o.BaseURL = s.URL })
	_, err := r.Describe(t.Context(), "Contact")
	require.NoError(t, err)
	q := crm.Query{Object: "Contact", Fields: []string{"Email", "Score__c", "HasOptedOutOfEmail", "MailingStreet"}, Expect: 60_000}
	got, _ := collect(t, r, q)
	require.Len(t, got, 3)
	jane := got["003R0000000UyrWIAS"]
	require.Equal(t, event.Value{Kind: event.KindNumber, Text: "9007199254740993"}, jane.Field("Score__c"))
	require.Equal(t, event.Value{Kind: event.KindBool, Text: "true"}, jane.Field("HasOptedOutOfEmail"))
	require.Equal(t, "12 \"Old\" Street\nSecond floor, left", jane.Field("MailingStreet").Text)
	require.Equal(t, "2026-03-01T00:00:01Z", jane.StampedAt.Std().UTC().Format("2006-01-02T15:04:05Z07:00"))
	blank := got["003R0000000UyrXIAS"]
	require.True(t, blank.Field("Email").Blank())
	require.EqualValues(t, 15_000, r.call.Budget.Daily())
}
