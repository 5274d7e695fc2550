package simulate

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/scenario"
)

func scenarios(t *testing.T) []*scenario.Scenario {
	t.Helper()
	paths, err := filepath.Glob("../../scenarios/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	var out []*scenario.Scenario
	for _, p := range paths {
		s, err := scenario.Load(p)
		require.NoError(t, err)
		out = append(out, s)
	}
	return out
}

// truthOf plays a scenario with nobody listening.
func truthOf(t *testing.T, s *scenario.Scenario) []byte {
	t.Helper()
	var b bytes.Buffer
	sim, err := New(Options{Scenario: s, Start: start, Truth: &b})
	require.NoError(t, err)
	require.NoError(t, sim.Run(t.Context()))
	return b.Bytes()
}

// shortened keeps the first minutes of every fault.
func shortened(s *scenario.Scenario) *scenario.Scenario {
	c := *s
	c.Population, c.Length, c.Traffic.Rate = 12, config.Duration(100*time.Second), c.Traffic.Rate/2
	c.Faults = nil
	for _, f := range s.Faults {
		f.At, f.For = config.Duration(10*time.Second), min(f.For, config.Duration(50*time.Second))
		c.Faults = append(c.Faults, f)
	}
	return &c
}

// The same file, seed and start give the same truth, whatever it plays.
func TestEveryScenarioRepeatsItself(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			one, two := truthOf(t, shortened(s)), truthOf(t, shortened(s))
			require.Equal(t, string(one), string(two))
		})
	}
}

// Every fault does what its row says: it begins and ends, hurts records where
// an incident is expected, and is silent or loud.
func TestEveryFaultHurts(t *testing.T) {
	for _, s := range scenarios(t) {
		if strings.HasPrefix(s.Name, "several_") {
			continue // each of their faults has a scenario of its own here
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			half := *s // as much as the race detector plays in seconds
			half.Population, half.Traffic.Rate = s.Population/6, 0.35*s.Traffic.Rate
			all := lines(t, truthOf(t, &half))
			began, hurt, errors, gaps := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
			open := map[string]bool{}
			for _, l := range all {
				switch l.Kind {
				case truth.Fault:
					began[l.Cause]++
				case truth.FaultEnd:
					began[l.Cause]--
				case truth.Incident:
					hurt[l.Cause]++
				case truth.Attempt:
					if l.Outcome == event.OutcomeError {
						errors[l.Cause]++
					}
				case truth.Divergence:
					require.False(t, open[l.ID], "%s begins twice", l.ID)
					open[l.ID] = true
					gaps[l.Cause]++
				case truth.Resolved:
					require.True(t, open[l.ID], "%s ends before it begins", l.ID)
					delete(open, l.ID)
				}
			}
			require.Equal(t, truth.End, all[len(all)-1].Kind)
			for i := range s.Faults {
				f := &s.Faults[i]
				n := began[f.Fault]
				require.Zero(t, n, "%s does not end", f.Fault)
				k := f.Kind()
				if k.Incident {
					require.NotZero(t, hurt[f.Fault], "%s hurts nobody", f.Fault)
				}
				if k.Class != "" && !k.Silent {
					require.NotZero(t, errors[f.Fault], "%s makes no errors", f.Fault)
				}
				if k.Silent {
					require.NotZero(t, gaps[f.Fault], "%s lets nothing differ", f.Fault)
				}
			}
			if len(s.Faults) == 0 {
				require.Empty(t, errors)
				require.Zero(t, len(gaps)-min(gaps[causeEdited], 1), "%v", gaps)
			}
		})
	}
}

// The config that belongs to a scenario has the names of its run.
func TestScenarioYAMLMatchesTheRun(t *testing.T) {
	s, err := scenario.Load("../../scenarios/vendor_outage_401.yaml")
	require.NoError(t, err)
	text, err := ScenarioYAML(s, DemoRefs{HookSecret: "env:HOOK", SenderToken: "env:TOKEN"}, nil)
	require.NoError(t, err)
	c, err := cfgload.Parse("scenario.yaml", text)
	require.NoError(t, err)
	sim, err := New(Options{Scenario: s, Start: start})
	require.NoError(t, err)
	require.Equal(t, c.Integrations, sim.o.Integrations)
	require.Len(t, c.Hooks, s.Tenants)
	for i := range c.Hooks {
		require.Equal(t, c.Integrations[i].Source.Hook, c.Hooks[i].ID)
		require.Equal(t, sim.send.publicURL(c.Hooks[i].ID), c.Hooks[i].PublicURL)
	}
}

func TestWrittenConfigIsWhole(t *testing.T) {
	s, err := scenario.Load("../../scenarios/vendor_outage_403.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	addrs := make([]Addrs, s.Tenants)
	for i := range addrs {
		addrs[i] = Addrs{"http://127.0.0.1:1", "http://127.0.0.1:2"}
	}
	_, err = WriteConfig(dir, s, addrs, hookSecret, senderToken)
	require.NoError(t, err)
	c, err := cfgload.Load(filepath.Join(dir, ConfigFile))
	require.NoError(t, err)
	require.Len(t, c.Connections, 2*s.Tenants)
	secrets := cfgload.Secrets{Dir: dir}
	for _, x := range c.Connections {
		ref := x.Token
		if ref == "" {
			ref = x.Auth.ClientSecret
		}
		b, err := secrets.Resolve(ref)
		require.NoError(t, err)
		require.NotEmpty(t, b)
	}
	for i, in := range c.Integrations {
		require.Equal(t, c.Connections[2*i].ID, in.Source.Connection)
		require.Equal(t, c.Connections[2*i+1].ID, in.Target.Connection)
	}
}
