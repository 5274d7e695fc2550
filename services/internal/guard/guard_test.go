package guard

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOnlyPublicAddresses(t *testing.T) {
	for _, addr := range []string{
		"127.0.0.1:80", "10.1.2.3:443", "172.16.0.1:1", "192.168.0.1:443", "169.254.169.254:80", "[::1]:80", "[fd00::1]:80", "[fe80::1]:80",
		"0.0.0.0:80", "[::]:80", "100.64.0.1:80", "[::ffff:10.0.0.1]:80", "224.0.0.1:80", "[64:ff9b::169.254.169.254]:80",
		"[2002:7f00:1::]:80", "255.255.255.255:80",
	} {
		require.ErrorIs(t, Public(addr), ErrPrivate, addr)
	}
	for _, addr := range []string{"8.8.8.8:443", "[2606:4700::1111]:443", "[64:ff9b::8.8.8.8]:443", "[2002:808:808::]:80"} {
		require.NoError(t, Public(addr), addr)
	}
	require.Error(t, Public("example.com:443"), "only what was resolved is judged")
}

// However an inner address is spelled, and whoever points there: nothing arrives.
func TestNoWayInside(t *testing.T) {
	hits := 0
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer inner.Close()
	port := inner.Listener.Addr().String()[len("127.0.0.1"):]
	client := &http.Client{Transport: &http.Transport{DialContext: Dialer(false, time.Second).DialContext, DisableKeepAlives: true}}
	for _, host := range []string{"127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+port, nil)
		require.NoError(t, err, host)
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		require.Error(t, err, host)
	}
	require.Zero(t, hits)

	// The first call is meant, the redirect it answers with is not: each dial is judged.
	dials := 0
	client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: Dialer(false, time.Second).DialContext, Proxy: nil}
	outer := roundTrip(func(r *http.Request) (*http.Response, error) {
		if dials++; dials == 1 {
			return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {inner.URL}}, Body: http.NoBody, Request: r}, nil
		}
		return client.Transport.RoundTrip(r)
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://hooks.example.com", nil)
	require.NoError(t, err)
	res, err := (&http.Client{Transport: outer}).Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	require.ErrorIs(t, err, ErrPrivate)
	require.Zero(t, hits)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
