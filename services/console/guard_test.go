package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/console"
)

// A page elsewhere must not read the console through a name it pointed here.
func TestForeignNamesAreRefused(t *testing.T) {
	w := newWorld(t, integration("i"))
	base := start(t, console.Options{Warehouse: w.db, Hosts: []string{"Console.Example.com"}})
	port := base[strings.LastIndex(base, ":"):]
	for host, want := range map[string]int{
		"127.0.0.1" + port: 200, "localhost" + port: 200, "localhost": 200, "[::1]" + port: 200,
		"console.example.com": 200, "CONSOLE.example.com:443": 200,
		"evil.example.com": 421, "127.0.0.1.evil.example.com" + port: 421, "10.1.2.3": 421, "localhost.": 421, "bad host": 421,
	} {
		for _, path := range []string{"/", "/api/v1/kpis", "/api/v1/failures", "/metrics"} {
			require.Equal(t, want, askAs(t, http.MethodGet, base+path, host), "%q %s", host, path)
		}
	}
	require.Equal(t, 200, askAs(t, http.MethodGet, base+"/healthz", "10.1.2.3"), "probes ask by address")
}

func TestOnlyReads(t *testing.T) {
	w := newWorld(t, integration("i"))
	base := w.start()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
		require.Equal(t, http.StatusMethodNotAllowed, askAs(t, method, base+"/", "localhost"), method)
	}
	require.Equal(t, 200, askAs(t, http.MethodHead, base+"/", "localhost"))
	require.Equal(t, 404, askAs(t, http.MethodGet, base+"/assets/page.html", "localhost"), "templates are no assets")
	require.Equal(t, 404, askAs(t, http.MethodGet, base+"/nowhere", "localhost"))
}

func askAs(t *testing.T, method, url, host string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	r.Host = host
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := console.New(console.Options{Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "Warehouse is required")
	w := newWorld(t)
	_, err = console.New(console.Options{Warehouse: w.db, Listen: "8080"})
	require.ErrorContains(t, err, "set listen.console to 127.0.0.1:8080")

	base := w.start()
	s, err := console.New(console.Options{Warehouse: w.db, Listen: strings.TrimPrefix(base, "http://")})
	require.NoError(t, err)
	require.Empty(t, s.Addr())
	require.ErrorContains(t, s.Start(t.Context()), "choose another listen.console")
	require.NoError(t, s.Stop(t.Context()), "before it started")
}
