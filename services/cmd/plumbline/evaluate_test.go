package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/standalone/rehearse"
)

const asBinary = "PLUMBLINE_TEST_BINARY"

// TestMain lets the test binary be plumbline itself, or its engine.
func TestMain(m *testing.M) {
	switch {
	case clickhouse.IsChild(os.Args):
		os.Exit(clickhouse.ChildMain(os.Args))
	case os.Getenv(asBinary) != "":
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// binary is the one that `make build` made, as users run it, or this test as one.
func binary(t *testing.T) string {
	t.Helper()
	if built := os.Getenv("PLUMBLINE_BINARY"); built != "" {
		return built
	}
	self, err := os.Executable()
	require.NoError(t, err)
	return self
}

func plumbline(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	cmd.Env = append(os.Environ(), asBinary+"=1")
	cmd.Stderr = os.Stderr
	return cmd
}

const scenarios = "../../../scenarios/"

// One small scenario through everything: the fakes, the door, the stages,
// ClickHouse, the scores.
func TestEvaluateASmallScenario(t *testing.T) {
	out, err := plumbline(t, "evaluate", "--json", "--speed", "120", scenarios+"smoke.yaml").Output()
	require.NoError(t, err)
	var r rehearse.Result
	require.NoError(t, json.Unmarshal(out, &r))
	got := map[string]float64{}
	for _, row := range r.Rows {
		if row.Measured {
			got[row.Group+"/"+row.Name] = row.Value
		}
	}
	// Floors that a working flow leaves far below it.
	require.InDelta(t, 1, got["deliveries/followed"], 0.01)
	require.Greater(t, got["deliveries/final state right"], 0.8)
	require.Less(t, got["KPIs/success rate error"], 1.0)
	require.NotZero(t, got["silent failures/precision"])
}

func TestSimulateWritesTheSameTruthTwice(t *testing.T) {
	dir := t.TempDir()
	one, err := plumbline(t, "simulate", "--scenario", scenarios+"smoke.yaml", "--seed", "5", "--truth", "-").Output()
	require.NoError(t, err)
	require.NoError(t, plumbline(t, "simulate", "--scenario", scenarios+"smoke.yaml", "--seed", "5", "--truth", filepath.Join(dir, "t")).Run())
	two, err := os.ReadFile(filepath.Join(dir, "t"))
	require.NoError(t, err)
	require.NotEmpty(t, one)
	require.Equal(t, string(one), string(two))
}

func TestSimulateWritesAConfigThatIsTaken(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, plumbline(t, "simulate", "--scenario", scenarios+"smoke.yaml", "--config-out", dir, "--listen", "127.0.0.1:18090").Run())
	out, err := plumbline(t, "config", "check", "--config", filepath.Join(dir, "plumbline.yaml")).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "connection salesforce")
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"simulate"},
		{"simulate", "--scenario", "nowhere.yaml"},
		{"simulate", "--scenario", scenarios + "smoke.yaml", "--listen", "somewhere"},
		{"simulate", "--scenario", scenarios + "smoke.yaml", "--start", "yesterday"},
		{"evaluate"},
		{"evaluate", "--truth", "t", scenarios + "smoke.yaml"},
		{"evaluate", scenarios + "nowhere.yaml"},
		{"up", "--pace", "fast"},
	} {
		cmd := plumbline(t, args...)
		cmd.Stderr = nil
		err := cmd.Run()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "%v", args)
		require.Equal(t, exitUsage, exit.ExitCode(), "%v", args)
	}
}
