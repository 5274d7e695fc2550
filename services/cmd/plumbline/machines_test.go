package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/loopback"
	"plumbline.dev/services/standalone"
)

const machinesYAML = `
listen: { ingest: "%s", console: "%s", clickhouse: "%s", kafka: "%s" }
senders: [ { id: worker, tokens: [env:TEST_SENDER_TOKEN] } ]
agents: [ { id: enricher, limits: { hour: 5 } } ]
integrations:
  - id: hs-sf
    attempts: full
    source: { system: hubspot }
    target: { system: salesforce, sync_user: sync }
    objects: [ { name: contact, source: contact, target: Contact, key: { source: email, target: Email } } ]
`

// running is a product of its own and the config file its commands read.
func running(t *testing.T) (config, ingest string) {
	t.Setenv("TEST_SENDER_TOKEN", "a-sender-token-of-the-tests")
	var addrs []any
	for range 4 {
		addrs = append(addrs, loopback.Addr(t))
	}
	dir := t.TempDir()
	config = filepath.Join(dir, "plumbline.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, machinesYAML, addrs...), 0o600))
	cfg, err := cfgload.Load(config)
	require.NoError(t, err)
	cfg.Data = filepath.Join(dir, "data")
	app, err := standalone.Start(t.Context(), standalone.Options{
		Config: cfg, ConfigDir: dir, Data: cfg.Data, Roles: standalone.AllRoles, Migrate: true, Instance: "0",
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Stop()) })
	return config, app.Addrs.Ingest
}

func post(t *testing.T, ingest, kind string, elements any) {
	b, err := json.Marshal(elements)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+ingest+"/v1/"+kind, bytes.NewReader(b))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer a-sender-token-of-the-tests")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusAccepted, resp.StatusCode)
}

// says runs a command until its output holds all of the words.
func says(t *testing.T, command func() *cobra.Command, args []string, words ...string) string {
	t.Helper()
	var out bytes.Buffer
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(300 * time.Millisecond) {
		out.Reset()
		cmd := command()
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SilenceUsage = true
		if err = cmd.ExecuteContext(t.Context()); err != nil {
			continue
		}
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(out.String(), w)
		}
		if !missing {
			return out.String()
		}
	}
	require.NoError(t, err)
	for _, w := range words {
		require.Contains(t, out.String(), w)
	}
	return out.String()
}

// TestMachines walks what a person does when an agent ran away and a token
// looks stolen, by the commands.
func TestMachines(t *testing.T) {
	config, ingest := running(t)
	at := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339Nano) }
	change := func(id, record, value, kind, who string, ago time.Duration) map[string]any {
		return map[string]any{
			"id": id, "integration": "hs-sf", "system": "hubspot", "object": "contact", "record_id": record, "operation": "update",
			"changed_at": at(ago), "fields": map[string]any{"stage": value}, "actor": map[string]any{"kind": kind, "id": who, "run": "r1"},
		}
	}
	var changes []map[string]any
	for i := range 6 {
		record := fmt.Sprint(100 + i)
		changes = append(changes, change("h"+record, record, "lead", "user", "ana", 5*time.Minute))
		changes = append(changes, change("a"+record, record, "customer", "agent", "enricher", time.Minute))
	}
	changes = append(changes, change("later", "100", "partner", "user", "ana", time.Second))
	post(t, ingest, "changes", changes)
	post(t, ingest, "attempts", []map[string]any{{
		"id": "t1", "integration": "hs-sf", "occurred_at": at(30 * time.Second), "system": "salesforce", "object": "contact", "operation": "update",
		"source_id": "101", "target_id": "003A", "status": 200, "token": "drift", "fields": map[string]any{"stage": "customer"},
	}})
	post(t, ingest, "access", []map[string]any{{
		"system": "salesforce", "token": "drift", "at": at(time.Minute), "operation": "query", "object": "Case", "rows": 2000,
		"network": "185.220.101.7", "user_agent": "python-requests/2.32",
	}})
	with := func(args ...string) []string { return append(args, "--config", config) }

	says(t, agentCommand, with("states"), "tripped", "default/agent/enricher", "cap_hour: wrote 6 times in an hour")
	plan := filepath.Join(t.TempDir(), "plan.ndjson")
	says(t, agentCommand, with("plan", "enricher", "--out", plan), "set 5 fields of 5 records", "skipped 1: changed since")
	says(t, agentCommand, with("spread", "enricher"), "101\t003A\tacknowledged")
	began := at(0)
	post(t, ingest, "changes", []map[string]any{change("undo", "101", "lead", "user", "ana", 0)})
	says(t, agentCommand, with("verify", plan, "--since", began), "1 fields are back, 4 are not seen to be")
	says(t, agentCommand, with("reset", "default/agent/enricher", "--by", "ana"))
	says(t, agentCommand, with("states"), "ok       default/agent/enricher")

	says(t, tokenCommand, with("show"), "default/salesforce/drift", "attempts, vendor log", "nothing strange in the vendor's log")
	log := filepath.Join(t.TempDir(), "log.csv")
	require.NoError(t, os.WriteFile(log, []byte("system,token,at,operation,object\nhubspot,app-7,2026-11-03T10:00:00Z,export,contact\n"), 0o600))
	says(t, tokenCommand, with("import", log), "1 uses of credentials are in")
	says(t, tokenCommand, with("show", "app-7"), "does export on contact")
	says(t, tokenCommand, with("preview", "drift"), "hs-sf stops (contact)")
	says(t, tokenCommand, with("revoke", "drift", "--system", "salesforce"), "by hand", "Connected Apps OAuth Usage")
	says(t, tokenCommand, with("evidence", "drift"), `"network":"185.220.101.0/24"`, `"table":"attempts"`)
}

func TestMoment(t *testing.T) {
	for _, bad := range []string{"yesterday", "-3h", "2026-11-03"} {
		_, err := moment(bad)
		require.ErrorContains(t, err, bad)
	}
	at, err := moment("3h")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(-3*time.Hour), at, time.Minute)
}
