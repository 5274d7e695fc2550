package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/simulate"
)

// walk runs the program in a folder, as a user would.
func walk(t *testing.T, dir string, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := plumbline(t, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, env...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	var exit *exec.ExitError
	if e := cmd.Run(); e != nil && !errors.As(e, &exit) {
		require.NoError(t, e)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

// twoSystems is a day of a simulated company, two days ago: two CRMs that a
// worker kept in sync, not always well.
func twoSystems(t *testing.T) (hs, sf string) {
	t.Helper()
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"accepted":1}`))
	}))
	defer door.Close()
	s, err := simulate.New(simulate.Options{
		Seed: 4, Rate: 0.02, Speed: simulate.Unpaced, Start: time.Now().Add(-72 * time.Hour), Duration: 24 * time.Hour, Records: 400,
		IngestURL: door.URL, HookSecret: []byte("a-secret-of-the-tests"), SenderToken: "a-token-of-the-tests",
	})
	require.NoError(t, err)
	require.NoError(t, s.Run(t.Context()))
	a, b := httptest.NewServer(s.HubSpot()), httptest.NewServer(s.Salesforce())
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	return a.URL, b.URL
}

// TestInitFromAnEmptyFolder is a new user's first minutes: a wrong token, a
// missing domain, then the walk, and a file that the program takes.
func TestInitFromAnEmptyFolder(t *testing.T) {
	hs, sf := twoSystems(t)
	dir := t.TempDir()
	env := []string{
		"HUBSPOT_TOKEN=" + simulate.HubSpotToken, "SF_ID=" + simulate.SalesforceClientID, "SF_SECRET=" + simulate.SalesforceSecret,
	}
	args := []string{"init", "hubspot-salesforce", "--hubspot-url", hs, "--salesforce-url", sf, "--allow-private"}

	code, _, stderr := walk(t, dir, nil, "init", "hubspot-salesforce")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "--salesforce-domain is missing")
	code, _, stderr = walk(t, dir, []string{"HUBSPOT_TOKEN="}, args...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "export HUBSPOT_TOKEN")
	code, _, stderr = walk(t, dir, append([]string{}, "HUBSPOT_TOKEN=wrong", env[1], env[2]), args...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "HubSpot refuses the token in env:HUBSPOT_TOKEN")
	require.Contains(t, stderr, "Private Apps")
	code, _, stderr = walk(t, dir, []string{env[0], env[1], "SF_SECRET=wrong"}, args...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "the login of env:SF_ID and env:SF_SECRET is refused by Salesforce")
	require.NoFileExists(t, filepath.Join(dir, "plumbline.yaml"))

	began := time.Now()
	code, _, stderr = walk(t, dir, env, args...)
	require.Equal(t, 0, code, stderr)
	t.Log(stderr)
	require.Less(t, time.Since(began), 10*time.Minute)
	require.Contains(t, stderr, "First drift number: ")
	require.Regexp(t, `(?m)^  contact +1 of 500 differ; 1 with other values; hubspot_owner_id 1$`, stderr, "a summary to pass on")
	require.Regexp(t, `(?m)^  deal +0 of 229 differ$`, stderr)
	cfg, err := cfgload.Load(filepath.Join(dir, "plumbline.yaml"))
	require.NoError(t, err)
	objects := map[string]int{}
	for _, o := range cfg.Integrations[0].Objects {
		objects[o.Name] = len(o.Fields)
		require.NotEmpty(t, o.Key)
		require.Regexp(t, `^(salesforce\w*id|hs_\w*id)$`, o.Key[0].Source, "the best key is the other system's id")
		for _, f := range o.Fields {
			if f.Source == "hubspot_owner_id" || f.Source == "lifecyclestage" || f.Source == "dealstage" {
				require.Len(t, f.Map, map[string]int{"hubspot_owner_id": 5, "lifecyclestage": 2, "dealstage": 7}[f.Source], "%s of %s: %v", f.Source, o.Name, f.Map)
			}
		}
	}
	require.Equal(t, map[string]int{"contact": 8, "company": 8, "deal": 5}, objects, stderr)
	require.FileExists(t, filepath.Join(dir, "runbooks", "hubspot-salesforce.yaml"))
	b, err := os.ReadFile(filepath.Join(dir, "plumbline.yaml"))
	require.NoError(t, err)
	for _, secret := range []string{simulate.HubSpotToken, simulate.SalesforceSecret} {
		require.NotContains(t, string(b)+stderr, secret)
	}
	require.NotRegexp(t, `[a-z]+\.[0-9]+\.[0-9]+@example\.com`, stderr, "no address in clear")

	code, _, stderr = walk(t, dir, env, args...) // it replaces nothing by itself
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "is there already")
	code, stdout, stderr := walk(t, dir, env, "config", "check")
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, "3 objects")
}
