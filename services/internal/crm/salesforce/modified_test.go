package salesforce

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	simcrm "plumbline.dev/services/simulate/crm"
	fake "plumbline.dev/services/simulate/salesforce"
)

func modifiedOf(t *testing.T, r *Reader, q crm.Query, yield func([]crm.Record) error) error {
	t.Helper()
	return r.Modified(t.Context(), []crm.Query{q}, func(_ int, records []crm.Record) error { return yield(records) })[0]
}

// three are queries of all, of the newest, and of a field that nobody has.
func three() []crm.Query {
	all, newest, bad := contacts, contacts, contacts
	newest.Since = event.Time(day + 4400*1000)
	bad.Fields = []string{"No__c"}
	return []crm.Query{all, newest, bad}
}

// recorded answers as the org does and keeps the paths that were called.
func recorded(paths *[]string, fault func(*http.Request) (simcrm.Answer, bool)) fake.Options {
	return fake.Options{Fault: func(q *http.Request) (simcrm.Answer, bool) {
		*paths = append(*paths, strings.TrimPrefix(q.URL.Path, data))
		if fault != nil {
			return fault(q)
		}
		return simcrm.Answer{}, false
	}}
}

// TestSeveralObjectsInOneCall: first pages come together, each query has its
// own error, and what is longer is read on.
func TestSeveralObjectsInOneCall(t *testing.T) {
	var paths []string
	_, r := open(t, 4500, good, recorded(&paths, nil))
	got := make([]int, 3)
	seen := map[string]bool{}
	errs := r.Modified(t.Context(), three(), func(of int, records []crm.Record) error {
		got[of] += len(records)
		for _, x := range records {
			if of == 0 {
				require.False(t, seen[x.ID])
				seen[x.ID] = true
			}
		}
		return nil
	})
	require.NoError(t, errs[0])
	require.NoError(t, errs[1])
	require.Equal(t, crm.KindSchema, crm.KindOf(errs[2]), "%v", errs[2])
	require.Equal(t, []int{4500, 100, 0}, got)
	require.Len(t, paths, 3, "%v", paths) // and two more pages of the first
	require.Equal(t, "/composite", paths[0])
}

// TestNoMoreThanFiveTogether: Salesforce takes five queries in one call.
func TestNoMoreThanFiveTogether(t *testing.T) {
	var paths []string
	_, r := open(t, 5, good, recorded(&paths, nil))
	qs := make([]crm.Query, r.Together()+1)
	for i := range qs {
		qs[i] = contacts
	}
	n := 0
	for _, err := range r.Modified(t.Context(), qs, func(_ int, records []crm.Record) error { n += len(records); return nil }) {
		require.NoError(t, err)
	}
	require.Equal(t, 5*len(qs), n)
	require.NotContains(t, paths, "/composite")
}

// TestAnOrgThatRefusesCompositeCalls is asked one by one, and one that
// answers nobody is not asked more often for it.
func TestAnOrgThatRefusesCompositeCalls(t *testing.T) {
	var paths []string
	refuse := simcrm.Refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
	_, r := open(t, 10, good, recorded(&paths, func(q *http.Request) (simcrm.Answer, bool) {
		return refuse, strings.HasSuffix(q.URL.Path, "/composite")
	}))
	n := 0
	qs := []crm.Query{contacts, contacts}
	for _, err := range r.Modified(t.Context(), qs, func(_ int, records []crm.Record) error { n += len(records); return nil }) {
		require.NoError(t, err)
	}
	require.Equal(t, 20, n)
	require.Equal(t, []string{"/composite", "/queryAll", "/queryAll"}, paths)

	paths, refuse = nil, simcrm.Refuse(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
	for _, err := range r.Modified(t.Context(), qs, nil) {
		require.Equal(t, crm.KindLimit, crm.KindOf(err))
	}
	require.Equal(t, []string{"/composite"}, paths)
}

// TestAForgottenCursorBehindACompositeCall begins that query anew.
func TestAForgottenCursorBehindACompositeCall(t *testing.T) {
	var paths []string
	_, r := open(t, 4500, good, recorded(&paths, func(*http.Request) (simcrm.Answer, bool) {
		return simcrm.Refuse(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator"), len(paths) == 2
	}))
	seen := map[string]bool{}
	for _, err := range r.Modified(t.Context(), []crm.Query{contacts, contacts}, func(_ int, records []crm.Record) error {
		for _, x := range records {
			seen[x.ID] = true
		}
		return nil
	}) {
		require.NoError(t, err)
	}
	require.Len(t, seen, 4500)
}
