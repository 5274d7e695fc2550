package classify

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"plumbline.dev/schemas/event"
)

// The case that must never happen again: an outage that shows as 401 or 403 is
// not a customer's dead grant.
func TestBareAuthFailureIsNotPermanent(t *testing.T) {
	c := Default()
	for _, in := range []Input{
		{System: "hubspot", Status: 401},
		{System: "salesforce", Status: 403},
		{System: "acme", Status: 401, Message: "Unauthorized"},
		{System: "acme", Status: 403, Message: "Request failed with status code 403"},
		{System: "acme", Status: 403, Body: `{"status":403,"error":"Forbidden"}`},
		{System: "zoho", Status: 401, Body: `{}`},
	} {
		v := c.Classify(&in)
		require.Equal(t, event.ClassAuth, v.Class, "%+v", in)
		require.Equal(t, event.Temporary, v.Recoverability, "%+v by %s", in, v.Rule)
		require.Equal(t, event.ByUnknown, v.Attribution, "%+v", in)
		require.Less(t, v.Confidence, 0.7, "%+v", in)
		require.Contains(t, v.FirstStep, "do not disconnect")
	}
	for _, in := range []Input{
		{System: "acme", Status: 401, Body: "<html><title>503 Service Unavailable</title></html>"},
		{System: "acme", Status: 400, Code: "temporarily_unavailable", Operation: event.OpAuthRefresh},
		{System: "microsoft", Status: 401, Code: "invalid_grant", Message: "AADSTS90033: wait a little"},
	} {
		v := c.Classify(&in)
		require.Equal(t, event.ClassVendorOutage, v.Class, "%+v by %s", in, v.Rule)
		require.Equal(t, event.ByVendor, v.Attribution, "%+v", in)
	}
}

// Code before body before message before headers before status.
func TestOrderOfEvidence(t *testing.T) {
	c := Default()
	in := Input{
		System: "salesforce", Status: 503, Code: "DUPLICATE_VALUE", Message: "request limit exceeded",
		Body: `[{"errorCode":"INVALID_FIELD"}]`, Headers: []event.Field{{Name: "retry-after", Value: event.Value{Text: "5"}}},
	}
	require.Equal(t, "salesforce.duplicate", c.Classify(&in).Rule)
	in.Code = ""
	require.Equal(t, "salesforce.schema", c.Classify(&in).Rule)
	in.Body = ""
	require.Equal(t, "words.throttled", c.Classify(&in).Rule)
	in.Message = ""
	require.Equal(t, "http.retry_after_outage", c.Classify(&in).Rule)
	in.Headers = nil
	require.Equal(t, "http.gateway", c.Classify(&in).Rule)
}

func TestFingerprint(t *testing.T) {
	c := Default()
	print := func(system, msg string) string {
		in := Input{System: system, Status: 400, Code: "PROPERTY_DOESNT_EXIST", Message: msg}
		return c.Classify(&in).Fingerprint
	}
	one := print("hubspot", `Property "tier" does not exist for record 4711 of ann@example.com`)
	require.Equal(t, one, print("hubspot", `Property "rank" does not exist for record 9 of bob@example.org`))
	require.NotEqual(t, one, print("hubspot", "The property was renamed"))
	require.NotEqual(t, one, print("acme", `Property "tier" does not exist for record 4711 of ann@example.com`))
	// Written down once: incidents of different releases have to meet.
	require.Equal(t, "1-215879cc63b8851f", one)
	fresh, err := New(mustRules(t))
	require.NoError(t, err)
	in := Input{System: "hubspot", Status: 400, Code: "PROPERTY_DOESNT_EXIST", Message: `Property "x" does not exist for record 1 of c@d.e`}
	require.Equal(t, one, fresh.Classify(&in).Fingerprint)
}

func mustRules(t testing.TB) Rules {
	t.Helper()
	r, err := Embedded()
	require.NoError(t, err)
	return r
}

// A worker that hands on only the body still gets rows with a code and a message.
func TestEnrichKeepsWhatTheBodySaid(t *testing.T) {
	c := Default()
	for _, tc := range []struct{ system, body, code, message string }{
		{"salesforce", `[{"errorCode":"INVALID_FIELD","message":"No such column \"Stage\" on Lead"}]`, "INVALID_FIELD", `No such column "Stage" on Lead`},
		{"hubspot", `{"status":"error","message":"Property \"x\" does not exist","category":"VALIDATION_ERROR"}`, "VALIDATION_ERROR", `Property "x" does not exist`},
		{"nobody", "upstream is away", "", "upstream is away"},
		{"nobody", `{"message":"` + strings.Repeat("é", 2000) + `"}`, "", strings.Repeat("é", 500)},
	} {
		a := &event.Attempt{System: tc.system, Operation: event.OpUpdate, Status: 400, Body: tc.body, Outcome: event.OutcomeError}
		c.Enrich(a)
		require.Equal(t, tc.code, a.Code, tc.body)
		require.Equal(t, tc.message, a.Message)
	}
	own := &event.Attempt{System: "salesforce", Status: 400, Code: "MINE", Message: "mine", Body: `[{"errorCode":"INVALID_FIELD"}]`, Outcome: event.OutcomeError}
	c.Enrich(own)
	require.Equal(t, []string{"MINE", "mine"}, []string{own.Code, own.Message})
}

func TestEnrich(t *testing.T) {
	c := Default()
	failed := &event.Attempt{System: "hubspot", Outcome: event.OutcomeError, Status: 429}
	c.Enrich(failed)
	require.Equal(t, event.ClassRateLimit, failed.Verdict.Class)
	require.Equal(t, c.Version(), failed.Verdict.Version)
	kept := failed.Verdict
	failed.Status = 500
	c.Enrich(failed)
	require.Same(t, kept, failed.Verdict)
	fine := &event.Attempt{System: "hubspot", Outcome: event.OutcomeOK, Status: 200}
	c.Enrich(fine)
	require.Nil(t, fine.Verdict)
	c.Enrich(&event.Change{})
}

func TestBatch(t *testing.T) {
	c := Default()
	for _, test := range []struct {
		name, system string
		status       int
		body         string
		want         string // index rule [collateral], one a record
	}{
		{
			"collections", "salesforce", 200, `[{"id":"1","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"DUPLICATE_VALUE","message":"x"}]},{"success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK","message":"y"}]}]`,
			"1 salesforce.duplicate, 2 salesforce.collateral collateral",
		},
		{
			"composite", "salesforce", 200, `{"compositeResponse":[{"referenceId":"a","httpStatusCode":400,"body":[{"errorCode":"PROCESSING_HALTED","message":"z"}]},{"referenceId":"b","httpStatusCode":400,"body":[{"errorCode":"REQUIRED_FIELD_MISSING","message":"Name"}]},{"referenceId":"c","httpStatusCode":201,"body":{"id":"1"}}]}`,
			"0 salesforce.collateral collateral, 1 salesforce.schema",
		},
		{"one error, several words", "salesforce", 400, `[{"errorCode":"INVALID_FIELD","message":"No such column"}]`, "0 salesforce.schema"},
		{
			"hubspot", "hubspot", 207, `{"status":"COMPLETE","results":[{"id":"1"}],"numErrors":2,"errors":[{"category":"CONFLICT","message":"there"},{"status":"error","category":"VALIDATION_ERROR","message":"not a valid email"}]}`,
			"0 hubspot.exists, 1 words.value_bad",
		},
		{"zoho", "zoho", 207, `{"data":[{"code":"SUCCESS","status":"success"},{"code":"DUPLICATE_DATA","status":"error","message":"duplicate data"}]}`, "1 zoho.duplicate"},
		{"marketo", "marketo", 200, `{"success":true,"result":[{"id":5,"status":"updated"},{"status":"skipped","reasons":[{"code":"1003","message":"Value missing"}]}]}`, "1 marketo.schema"},
		{"graph", "graph", 200, `{"responses":[{"id":"1","status":200,"body":{}},{"id":"2","status":429,"body":{"error":{"code":"TooManyRequests"}}}]}`, "1 graph.throttled"},
		{"no batch", "acme", 500, "", "0 http.server"},
		{"fine", "acme", 200, `{"id":1}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := Input{System: test.system, Status: test.status, Body: test.body}
			var got []string
			for _, r := range c.ClassifyBatch(&in) {
				line := strconv.Itoa(r.Index) + " " + r.Verdict.Rule
				if r.Verdict.Collateral {
					line += " collateral"
				}
				got = append(got, line)
			}
			require.Equal(t, test.want, strings.Join(got, ", "))
		})
	}
	// One verdict for the whole: the neighbour that failed, not those it took along.
	in := Input{System: "salesforce", Status: 200, Body: `[{"success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK"}]},{"success":false,"errors":[{"statusCode":"DUPLICATE_VALUE"}]}]`}
	require.Equal(t, "salesforce.duplicate", c.Classify(&in).Rule)
}

func TestBadRulesAreRefused(t *testing.T) {
	for name, src := range map[string]string{
		"unknown word":     "source: x\nrules: [{id: a, when: {codes: [X]}, class: auth}]",
		"no source":        "rules: [{id: a, when: {code: [X]}, class: auth, recoverability: permanent, attribution: vendor, confidence: 1}]",
		"class":            "source: x\nrules: [{id: a, when: {code: [X]}, class: oauth, recoverability: permanent, attribution: vendor, confidence: 1}]",
		"recoverability":   "source: x\nrules: [{id: a, when: {code: [X]}, class: auth, recoverability: maybe, attribution: vendor, confidence: 1}]",
		"attribution":      "source: x\nrules: [{id: a, when: {code: [X]}, class: auth, recoverability: permanent, attribution: me, confidence: 1}]",
		"confidence":       "source: x\nrules: [{id: a, when: {code: [X]}, class: auth, recoverability: permanent, attribution: vendor, confidence: 2}]",
		"no condition":     "source: x\nrules: [{id: a, class: auth, recoverability: permanent, attribution: vendor, confidence: 1}]",
		"unknown concept":  "source: x\nrules: [{id: a, when: {says: [blue]}, class: auth, recoverability: permanent, attribution: vendor, confidence: 1}]",
		"status":           "source: x\nrules: [{id: a, when: {status: [abc]}, class: auth, recoverability: permanent, attribution: vendor, confidence: 1}]",
		"open quote":       "source: x\nrules: [{id: a, when: {says: ['\"blue']}, class: auth, recoverability: permanent, attribution: vendor, confidence: 1}]",
		"body":             "source: x\nrules: [{id: a, when: {body: [code]}, class: auth, recoverability: permanent, attribution: vendor, confidence: 1}]",
		"id taken already": "source: x\nrules: [{id: http.none, when: {code: [X]}, class: auth, recoverability: permanent, attribution: vendor, confidence: 1}]",
	} {
		t.Run(name, func(t *testing.T) {
			r, err := mustRules(t).With("mine.yaml", []byte(src))
			if err == nil {
				_, err = New(r)
			}
			require.ErrorIs(t, err, ErrRules)
		})
	}
}

func TestOwnRulesComeFirst(t *testing.T) {
	base := mustRules(t)
	r, err := base.With("mine.yaml", []byte(`
source: our own runbook
rules:
  - id: mine.exists
    when: { code: [DUPLICATE_VALUE] }
    class: other
    recoverability: temporary
    attribution: customer
    confidence: 0.99
`))
	require.NoError(t, err)
	require.NotEqual(t, base.Version, r.Version)
	c, err := New(r)
	require.NoError(t, err)
	in := Input{System: "acme", Status: 400, Code: "DUPLICATE_VALUE"}
	v := c.Classify(&in)
	require.Equal(t, "mine.exists", v.Rule)
	require.Equal(t, r.Version, v.Version)
}

func TestClassifierIsShared(t *testing.T) {
	c := Default()
	cases := readLabelled(t, "testdata/errors.jsonl")
	want := make([]event.Verdict, len(cases))
	for i := range cases {
		in := cases[i].input()
		want[i] = c.Classify(&in)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range cases {
				in := cases[i].input()
				if got := c.Classify(&in); got != want[i] {
					t.Errorf("%s: %+v, want %+v", cases[i].ID, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// Classification and values are pure: what reads a clock, a file or the
// network cannot be replayed.
func TestNoWorldInside(t *testing.T) {
	for _, dir := range []string{".", "../value"} {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, imp := range f.Imports {
				path, _ := strconv.Unquote(imp.Path.Value)
				for _, bad := range []string{"net", "os", "database"} {
					require.False(t, path == bad || strings.HasPrefix(path, bad+"/"), "%s imports %s", name, path)
				}
			}
		}
	}
}
