package console_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/console"
	"plumbline.dev/services/internal/acklink"
)

// A link of a message shows the alert; only its button takes it, and twice is
// once. Nobody has to be logged in, and a link is good for one occurrence.
func TestLinksOfMessages(t *testing.T) {
	w := twoTenants(t)
	said := func(seq int64, change func(*event.Alert)) {
		a := &event.Alert{
			ID: "alert-7", Seq: seq, Status: event.AlertFiring, Severity: event.Page, Priority: event.P1, Rule: event.RuleIncident, Tenant: "acme",
			Since: event.JSONTime(ago(time.Hour)), ObservedAt: event.JSONTime(ago(time.Hour)), Summary: "salesforce refuses the credential", FirstStep: "reconnect OAuth",
		}
		if change != nil {
			change(a)
		}
		w.n++ // every store has a name of its own
		w.rows["alerts"] = append(w.rows["alerts"], a)
		w.store()
	}
	said(1, nil)
	key, err := acklink.NewKey([]byte("0123456789abcdef"))
	require.NoError(t, err)
	door := &fakeDoor{}
	base := start(t, console.Options{Warehouse: w.db, Integrations: w.list, Gate: people(t), Door: door, AckKey: key})
	claim := acklink.Claim{Alert: "alert-7", Tenant: "acme", Integration: "hs-sf", Since: int64(ago(time.Hour)), Expires: now.Add(time.Hour).Unix()}
	link := key.Link(base, claim)

	for range 3 { // a scanner
		code, _, body := get(t, link)
		require.Equal(t, http.StatusOK, code)
		require.Contains(t, body, "salesforce refuses the credential")
		require.Contains(t, body, "First step: reconnect OAuth")
		require.Contains(t, body, "Take it")
	}
	require.Empty(t, door.got, "opening it changes nothing")

	u, _ := url.Parse(link)
	post := func(token, by string) (int, string) {
		code, _, body := submit(t, browser(t), base+acklink.Path, url.Values{"link": {token}, "by": {by}})
		return code, body
	}
	token := u.Query().Get("link")
	code, body := post(token, "")
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, body, "Write your name")
	door.err = errors.New("connection refused")
	code, body = post(token, "ana")
	require.Equal(t, http.StatusBadGateway, code)
	require.Contains(t, body, "Click again")
	door.err, door.got = nil, nil
	for range 2 {
		code, body = post(token, "ana")
		require.Equal(t, http.StatusOK, code)
		require.Contains(t, body, "Noted: ana has it")
	}
	require.Equal(t, door.got[0], door.got[1], "ingest sees the same bytes under the same id: the second is a repeat")
	require.Equal(t, map[string]any{
		"id": claim.ID("ana"), "kind": "acknowledge", "subject": "alert-7", "by": "ana", "tenant": "acme", "integration": "hs-sf",
		"reason": "by the link in the message",
	}, door.got[0])

	door.got = nil
	refused := func(token, why string, want int) {
		t.Helper()
		code, body := post(token, "eve")
		require.Equal(t, want, code)
		require.Contains(t, body, why)
		require.NotContains(t, body, "<button>")
		require.Empty(t, door.got)
	}
	old := claim
	old.Expires = now.Unix()
	u, _ = url.Parse(key.Link(base, old))
	refused(u.Query().Get("link"), "too old", http.StatusGone)
	refused(token[:len(token)-2]+"xx", "not one of ours", http.StatusForbidden)
	refused("", "not one of ours", http.StatusForbidden)
	said(2, func(a *event.Alert) { a.Status, a.AcknowledgedBy = event.AlertAcknowledged, "ana" })
	refused(token, "Taken by ana.", http.StatusOK)
	said(3, func(a *event.Alert) { a.Status = event.AlertResolved })
	refused(token, "It is over", http.StatusOK)
	said(4, func(a *event.Alert) { a.Since = event.JSONTime(ago(time.Minute)) })
	refused(token, "It came back since", http.StatusOK)
}

// Nobody may be kept from taking a page because ClickHouse is away.
func TestLinkWorksWithoutTheWarehouse(t *testing.T) {
	key, err := acklink.NewKey([]byte("0123456789abcdef"))
	require.NoError(t, err)
	door := &fakeDoor{}
	gone := &switched{}
	gone.away.Store(true)
	base := start(t, console.Options{Warehouse: gone, Door: door, AckKey: key})
	link := key.Link(base, acklink.Claim{Alert: "a", Since: 1, Expires: now.Add(time.Hour).Unix()})
	_, _, body := get(t, link)
	require.Contains(t, body, "can be taken all the same")
	u, _ := url.Parse(link)
	code, _, body := submit(t, browser(t), base+acklink.Path, url.Values{"link": u.Query()["link"], "by": {"ana"}})
	require.Equal(t, http.StatusOK, code, body)
	require.Len(t, door.got, 1)
	require.NotContains(t, body, "<button>")
}
