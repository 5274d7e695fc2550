package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const folder = "../../../scenarios"

func TestEveryFaultHasAScenarioAndAWordInTheManual(t *testing.T) {
	files, err := filepath.Glob(folder + "/*.yaml")
	require.NoError(t, err)
	require.Greater(t, len(files), 20)
	played, several := map[string]bool{}, 0
	for _, path := range files {
		s, err := Load(path)
		require.NoError(t, err)
		require.NotEmpty(t, s.About, path)
		require.LessOrEqual(t, time.Duration(s.Length), time.Hour, path)
		for i := range s.Faults {
			played[s.Faults[i].Fault] = true
		}
		if len(s.Faults) > 1 {
			several++
		}
	}
	require.Greater(t, several, 3)
	manual, err := os.ReadFile(folder + "/README.md")
	require.NoError(t, err)
	for _, name := range Names() {
		require.True(t, played[name], "no scenario plays %s", name)
		require.Contains(t, string(manual), "`"+name+"`")
	}
}

func TestDefaults(t *testing.T) {
	s, err := Parse("x.yaml", []byte("faults:\n  - { fault: brown_out, at: 3m }\n"))
	require.NoError(t, err)
	require.Equal(t, "x", s.Name)
	require.True(t, *s.Echoes)
	require.Equal(t, "full", s.Worker.Reports)
	require.Equal(t, []float64{0.35, 8}, []float64{s.Faults[0].Share, s.Faults[0].Factor})
	require.Equal(t, 503, s.Faults[0].Answer)
}

func TestWrongFilesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"lenght: 3m\n":      "lenght",
		"length: 3 weeks\n": "is not a duration",
		"length: 100h\n":    "expected at most 48h",
		"faults: [{ fault: gremlins, at: 1m }]\n":                      `there is no fault "gremlins"`,
		"length: 5m\nfaults: [{ fault: throttled, at: 5m }]\n":         "after the end",
		"faults: [{ fault: throttled, at: 1m, answer: 404 }]\n":        "expected one of [403 429]",
		"faults: [{ fault: coerced, at: 1m, share: 2 }]\n":             "share is 2",
		"faults: [{ fault: throttled, at: 1m, tenant: 2 }]\n":          "tenant is 2",
		"faults: [{ fault: swallowed_errors, at: 1m, says: maybe }]\n": `says is "maybe"`,
		"population: 3\n":                "population is 3",
		"worker: { reports: some }\n":    "expected full, errors_only or none",
		"a: [" + strings.Repeat("[", 10): "x.yaml",
	} {
		_, err := Parse("x.yaml", []byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("about: x\nfaults:\n  - { fault: throttled, at: 1m, answer: 429 }\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("x.yaml", []byte(text))
		if err == nil {
			require.NoError(t, s.check())
		}
	})
}
