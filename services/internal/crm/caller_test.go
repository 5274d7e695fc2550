package crm

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func caller(t *testing.T, h http.HandlerFunc, clock *virtual) *Caller {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	base, err := Base(s.URL, true)
	require.NoError(t, err)
	tr := Transport(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &Caller{
		System: "X", Base: base, Client: &http.Client{Transport: tr, CheckRedirect: NoRedirect}, Clock: clock,
		Budget:    NewBudget(BudgetOptions{System: "X", Share: 1, Daily: 1000, Clock: clock}),
		Authorize: func(context.Context, *http.Request, bool) error { return nil },
		Refusal: func(status int, _ http.Header, body []byte) *Error {
			return &Error{Kind: ByStatus(status), Message: Cut(string(body), 20)}
		},
	}
}

// TestWhatPassesIsTriedAgain, what does not is not; every try is paid for.
func TestWhatPassesIsTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		status, calls int
		kind          Kind
		after         string
		waited        time.Duration
	}{
		{503, 4, KindOutage, "", 3 * time.Second},
		{423, 4, KindOutage, "", 3 * time.Second},
		{429, 4, KindLimit, "7", 21 * time.Second},
		{429, 1, KindLimit, "3600", 0}, // an hour is the caller's affair
		{400, 1, KindRefused, "", 0},
		{401, 1, KindAuth, "", 0},
		{404, 1, KindGone, "", 0},
		{302, 1, KindRefused, "", 0}, // a credential follows nobody
	} {
		var calls atomic.Int32
		clock := &virtual{now: monday}
		c := caller(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			if tt.after != "" {
				w.Header().Set("Retry-After", tt.after)
			}
			w.Header().Set("Location", "/elsewhere")
			http.Error(w, "no", tt.status)
		}, clock)
		err := c.Do(t.Context(), Call{Method: "GET", Path: "/x"}, nil)
		require.Equal(t, tt.kind, KindOf(err), tt.status)
		require.EqualValues(t, tt.calls, calls.Load(), tt.status)
		require.EqualValues(t, tt.calls, c.Budget.Calls())
		require.GreaterOrEqual(t, clock.Now().Sub(monday), tt.waited)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	clock := &virtual{now: monday}
	c := caller(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"x":"` + strings.Repeat("a", maxAnswer) + `"}`))
	}, clock)
	var out any
	require.Equal(t, KindRefused, KindOf(c.Do(t.Context(), Call{Method: "GET", Path: "/x"}, &out)))

	c = caller(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>maintenance</html>")) }, clock)
	err := c.Do(t.Context(), Call{Method: "GET", Path: "/x"}, &out)
	require.Equal(t, KindOutage, KindOf(err))
	require.True(t, Passes(err))

	c.Base.Host = "127.0.0.1:1"
	require.Equal(t, KindNetwork, KindOf(c.Do(t.Context(), Call{Method: "GET", Path: "/x"}, &out)))
	c.Client.Transport = Transport(false)
	require.ErrorContains(t, c.Do(t.Context(), Call{Method: "GET", Path: "/x"}, &out), "allow_private")
}
