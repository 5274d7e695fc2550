//go:build clients

// The vendors' own clients against the fake CRMs. It needs node and, the first
// time, the package registry, so it is built only when asked for:
//
//	go test -tags clients -run TestOfficialClients ./services/simulate
package simulate

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOfficialClients(t *testing.T) {
	dir, err := filepath.Abs("testdata/clients")
	require.NoError(t, err)
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	out, err := install.CombinedOutput()
	require.NoError(t, err, "npm ci: %s", out)

	o := testOptions("http://127.0.0.1:1", nil)
	o.Records = 450 // more than a page of everything
	s, err := New(o)
	require.NoError(t, err)
	s.worlds[0].populate()
	hs, sf := httptest.NewServer(s.HubSpot()), httptest.NewServer(s.Salesforce())
	defer hs.Close()
	defer sf.Close()
	node := exec.CommandContext(t.Context(), "node", "clients.mjs")
	node.Dir = dir
	node.Env = append(os.Environ(), "HS="+hs.URL, "SF="+sf.URL, "HS_TOKEN="+HubSpotToken, "HS_REFRESH="+HubSpotRefresh,
		"SF_ID="+SalesforceClientID, "SF_SECRET="+SalesforceSecret, "SF_USER="+SalesforceUser, "SF_PASSWORD="+SalesforcePassword)
	out, err = node.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "hubspot: ok")
	require.Contains(t, string(out), "salesforce: ok")
}
