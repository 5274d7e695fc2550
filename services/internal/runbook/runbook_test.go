package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/runbook"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// full is a runbook without a gap.
const full = `
integration: hs-sf
systems: [ { name: hubspot, account: "1" }, { name: salesforce, account: "2" } ]
direction: hubspot -> salesforce
objects: [contact]
owner: ana@example.com
backup: ben@example.com
channel: "#revops"
business_impact: leads wait
critical_fields: { contact: { key: [email], fields: [email] } }
steps:
  auth: [ { do: reconnect } ]
  schema: [ { do: compare, query: "SELECT 1", expect: "1" } ]
  rate_limit: [ { do: back off } ]
  duplicate: [ { do: merge } ]
  vendor_outage: [ { do: hold } ]
  network: [ { do: look } ]
  other: [ { do: open } ]
  fp1: [ { do: the known trick } ]
escalation: { after: 30m, to: cto@example.com }
credentials: [ { where: vault, system: hubspot, scopes: read, owner: ana, rotate: 90d } ]
token_revocation: preview, revoke, verify
anomalous_api_activity: { calls_an_hour: 5000 }
vendor_status: [ "https://status.hubspot.com" ]
support: { hubspot: plan premium, salesforce: case }
sync_health_notifications: mail to revops
bulk_resync_limit: 200
picklist_validation: weekly, ana
last_reviewed: "2026-10-01"
last_exercised: "2026-10-02"
`

func TestLintFindsNothingInAFullOne(t *testing.T) {
	r, err := runbook.Parse([]byte(full))
	require.NoError(t, err)
	require.Empty(t, r.Lint(now))
}

// Each item of a runbook is checked: with it gone, there is a gap that names it.
func TestLintNamesEachItem(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(full)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "steps" || name == "fp1" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r, err := runbook.Parse([]byte(strings.Replace(full, line, "", 1)))
			require.NoError(t, err)
			gaps := r.Lint(now)
			require.NotEmpty(t, gaps)
			require.Contains(t, strings.Join(gaps, "\n"), name)
		})
	}
}

func TestLintOfDates(t *testing.T) {
	for date, want := range map[string]string{
		"2026-08-27": "", "2026-08-26": "more than 90 days ago", "yesterday": "is no date",
	} {
		r, err := runbook.Parse([]byte(strings.Replace(full, `last_reviewed: "2026-10-01"`, "last_reviewed: "+`"`+date+`"`, 1)))
		require.NoError(t, err)
		require.Contains(t, strings.Join(r.Lint(now.Truncate(24*time.Hour)), "\n"), want, date)
	}
}

// Templates are read, and what lint finds in them is what only people know.
func TestTemplates(t *testing.T) {
	for _, name := range []string{"hubspot-salesforce", "generic"} {
		text, err := runbook.Template(name)
		require.NoError(t, err)
		r, err := runbook.Parse(text)
		require.NoError(t, err)
		gaps := strings.Join(r.Lint(now), "\n")
		require.Contains(t, gaps, "owner: is empty")
		require.NotContains(t, gaps, "steps:")
		var out strings.Builder
		require.NoError(t, r.Show(&out, ""))
		require.Contains(t, out.String(), "vendor_outage\n  1. Hold, do not disconnect.")
	}
	_, err := runbook.Template("no")
	require.ErrorContains(t, err, "hubspot-salesforce and generic")
}

func TestUnknownNamesAreRefused(t *testing.T) {
	_, err := runbook.Parse([]byte("ownr: ana"))
	require.ErrorContains(t, err, "ownr")
}

// Documented: a step of the fingerprint, or one of the class that is not the
// template's and was looked at of late.
func TestDocumented(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) *runbook.Book {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "r.yaml"), []byte(text), 0o600))
		return runbook.Open([]config.Integration{{ID: "hs-sf", Runbook: "r.yaml"}, {ID: "bare"}}, dir, now)
	}
	at := event.At(now)
	b := write(full)
	require.Empty(t, b.Gaps("hs-sf"))
	require.Len(t, b.Gaps("bare"), 1)
	require.True(t, b.Documented("hs-sf", "fp1", "auth", at))
	require.True(t, b.Documented("hs-sf", "another", "auth", at), "the class is, and was reviewed")
	require.False(t, b.Documented("bare", "fp1", "auth", at))

	b = write(strings.NewReplacer(`"2026-10-01"`, `"2026-01-01"`, `"2026-10-02"`, `"2026-01-01"`).Replace(full))
	require.False(t, b.Documented("hs-sf", "another", "auth", at), "nobody looked at it for a year")
	require.True(t, b.Documented("hs-sf", "fp1", "auth", at))

	text, err := runbook.Template("generic")
	require.NoError(t, err)
	b = write(strings.Replace(string(text), `last_reviewed: ""`, `last_reviewed: "2026-11-01"`, 1))
	require.False(t, b.Documented("hs-sf", "another", "auth", at), "the template's words are nobody's")
	require.Contains(t, strings.Join(b.Gaps("hs-sf"), "\n"), "integration: is my-sync, want hs-sf")
}
