package rehearse

import (
	"context"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/simulate/scenario"
)

// TestMain lets the test binary be the engine's child.
func TestMain(m *testing.M) {
	if clickhouse.IsChild(os.Args) {
		os.Exit(clickhouse.ChildMain(os.Args))
	}
	goleak.VerifyTestMain(m)
}

// The configuration names the fakes' addresses before they answer, one pair a
// tenant, and everything is given back in the end. (The whole is played by the
// tests of cmd/plumbline.)
func TestTheStageIsSetAndCleared(t *testing.T) {
	scene, err := scenario.Load("../../../scenarios/vendor_outage_403.yaml")
	require.NoError(t, err)
	s := &stage{o: Options{Scenario: scene, Dir: t.TempDir()}}
	apis, err := s.listen(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.configure(apis))
	require.Len(t, s.cfg.Connections, 2*scene.Tenants)
	require.Len(t, s.cfg.Integrations, scene.Tenants)
	require.Equal(t, "http://"+apis[1].hubspot.Addr().String(), s.cfg.Connections[2].BaseURL)

	s.serve(apis[1].hubspot, http.NotFoundHandler())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.cfg.Connections[2].BaseURL, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NoError(t, s.close())
	http.DefaultClient.CloseIdleConnections()
	for _, a := range apis {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := new(net.Dialer).DialContext(ctx, "tcp", a.salesforce.Addr().String())
		cancel()
		require.Error(t, err)
	}
}
