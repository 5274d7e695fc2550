package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/acklink"
)

// What a person reads: what broke, since when, how many records, whose fault
// and how sure that is, the first step; then that it is over.
func TestAMessageReadsWell(t *testing.T) {
	w := newWorld(t)
	w.start(w.options())
	w.say(incident("i1", event.AlertFiring))
	require.Equal(t, `[PAGE P1] hs-sf: contact update fails at salesforce: auth (401); 42 records, 42 not right yet
Since 2026-01-01 00:00 UTC, 42 records
Whose fault: customer (90 % sure)
First step: reconnect OAuth
Console: http://console/?incident=i1
Take it: plumbline alerts acknowledge i1`, strings.TrimSpace(w.slack.wait(t, 1)[0]))

	over := incident("i1", event.AlertResolved)
	over.Summary = "hs-sf: contact update fails at salesforce: auth (401); over: 42 records, all right again"
	w.say(over)
	got := w.slack.wait(t, 2)[1]
	require.True(t, strings.HasPrefix(got, "[OVER] hs-sf: contact update"), got)
	require.Contains(t, got, "Over: "+over.Summary)
}

// With a key, the message carries a link that takes exactly this occurrence.
func TestAMessageHasALink(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	var err error
	o.Console = "https://plumbline.example.com"
	o.AckKey, err = acklink.NewKey([]byte("0123456789abcdef"))
	require.NoError(t, err)
	w.start(o)
	a := w.say(incident("i1", event.AlertFiring))
	text := w.slack.wait(t, 1)[0]
	_, link, found := strings.Cut(text, "Take it: ")
	require.True(t, found, text)
	u, err := url.Parse(strings.Fields(link)[0])
	require.NoError(t, err)
	require.Equal(t, "plumbline.example.com", u.Host)
	claim, err := o.AckKey.Read(u.Query().Get("link"), time.Now().Add(70*time.Hour))
	require.NoError(t, err)
	require.Equal(t, "i1", claim.Alert)
	require.Equal(t, int64(a.Since), claim.Since)
	require.Equal(t, "hs-sf", claim.Integration)
}

// Somebody who was told is not told again by a restart; what happened
// meanwhile is told, and nothing is lost while Slack is away.
func TestRestartRepeatsNothingAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	stop := w.start(o)
	w.say(incident("i1", event.AlertFiring))
	w.slack.wait(t, 1)
	time.Sleep(1500 * time.Millisecond) // what was told is saved every second
	stop()

	w.slack.breaks(true)
	second := incident("i2", event.AlertFiring)
	second.Integration, second.Summary = "other", "other: the second one"
	w.say(second)
	stop = w.start(o)
	time.Sleep(3 * time.Second)
	require.Len(t, w.slack.got(), 1)
	w.slack.breaks(false)
	got := w.slack.wait(t, 2)
	require.Contains(t, got[1], "the second one")
	stop()

	w.start(o)
	time.Sleep(3 * time.Second)
	require.Len(t, w.slack.got(), 2, "nothing is told twice: %v", w.slack.got())
}

// The broker dies and comes back: what is said then is told.
func TestBrokerAway(t *testing.T) {
	w := newWorld(t)
	w.start(w.options())
	w.say(incident("i1", event.AlertFiring))
	w.slack.wait(t, 1)
	w.broker.Kill()
	w.broker.Restart()
	second := incident("i2", event.AlertFiring)
	second.Integration, second.Summary = "other", "other: after the broker"
	w.say(second)
	require.Contains(t, w.slack.wait(t, 2)[1], "after the broker")
	time.Sleep(2 * time.Second)
	require.Len(t, w.slack.got(), 2, "%v", w.slack.got())
}

// One vendor's outage is one message, not one for each integration it hits.
func TestWhatIsExplainedIsInhibited(t *testing.T) {
	w := newWorld(t)
	vendor := incident("v", event.AlertFiring)
	vendor.Rule, vendor.Integration, vendor.Summary = event.RuleVendor, "", "salesforce: the vendor fails, not you"
	w.say(vendor)
	for _, id := range []string{"i1", "i2"} {
		a := incident(id, event.AlertFiring)
		a.Integration, a.CausedBy = "sync-"+id, "v"
		w.say(a)
		k := incident("kpi-"+id, event.AlertFiring) // explained by what is explained
		k.Rule, k.Integration, k.CausedBy = event.RuleSuccess, a.Integration, id
		w.say(k)
	}
	w.start(w.options())
	require.Contains(t, w.slack.wait(t, 1)[0], "the vendor fails")
	time.Sleep(2 * time.Second)
	require.Len(t, w.slack.got(), 1, "%v", w.slack.got())

	vendor.Status = event.AlertResolved
	w.say(vendor)
	require.Eventually(t, func() bool {
		all := strings.Join(w.slack.got(), "\n")
		return strings.Contains(all, "[OVER]") && strings.Contains(all, "incident=i1") && strings.Contains(all, "incident=i2")
	}, 20*time.Second, 50*time.Millisecond, "what still stands without the vendor is told: %v", w.slack.got())
}

// Who took an alert is not told again of it, until it is over.
func TestAcknowledgedIsQuiet(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.File = w.rewritten(o.File, "repeat_interval: 1h", "repeat_interval: 300ms")
	w.start(o)
	a := incident("i1", event.AlertFiring)
	w.say(a)
	w.slack.wait(t, 2) // it is repeated
	a.Status, a.AcknowledgedBy = event.AlertAcknowledged, "ana@example.com"
	w.say(a)
	time.Sleep(time.Second)
	n := len(w.slack.got())
	time.Sleep(2 * time.Second)
	require.Len(t, w.slack.got(), n)
	a.Status = event.AlertResolved
	w.say(a)
	require.Contains(t, w.slack.wait(t, n+1)[n], "[OVER]")
}

// What cannot be measured any more stays as it is, and says so.
func TestUnknownIsFrozen(t *testing.T) {
	w := newWorld(t)
	w.start(w.options())
	a := incident("k1", event.AlertFiring)
	a.Rule = event.RuleSuccess
	w.say(a)
	w.slack.wait(t, 1)
	a.Status, a.Reason = event.AlertUnknown, "blind"
	w.say(a)
	time.Sleep(2 * time.Second)
	for _, m := range w.slack.got() {
		require.NotContains(t, m, "[OVER]")
	}
}

// The monitor that stops is noticed: notify does not depend on who it watches.
func TestWatchdogAbsent(t *testing.T) {
	w := newWorld(t)
	dog := event.Alert{ID: "dog", Rule: event.RuleWatchdog, Status: event.AlertFiring, Severity: event.Info, Subject: "default"}
	dog.ObservedAt = event.JSONTime(event.At(time.Now().Add(-4 * time.Minute)))
	w.say(dog)
	w.start(w.options())
	require.Contains(t, w.slack.wait(t, 1)[0], "Plumbline itself is silent for 4m")
	dog.ObservedAt = 0 // now
	w.say(dog)
	require.Contains(t, w.slack.wait(t, 2)[1], "[OVER] Plumbline watches again")
}

func TestEmail(t *testing.T) {
	w := newWorld(t)
	addr, mails := mailServer(t)
	o := w.options()
	o.File = w.quick(config.Notify{Email: "revops@example.com", SMTP: &config.SMTP{Host: addr, From: "plumbline@example.com", Plain: true}})
	w.start(o)
	w.say(incident("i1", event.AlertFiring))
	require.Eventually(t, func() bool { return len(mails()) == 1 }, time.Minute, 50*time.Millisecond)
	got := mails()[0]
	require.Contains(t, got, "To: revops@example.com")
	require.Contains(t, got, "Subject: [PAGE P1] hs-sf: contact update fails at salesforce: auth (401)")
	require.Contains(t, got, "First step: reconnect OAuth")
}

// A page that nobody takes is told again, to whom the runbook names next, and
// who was told hears the end of it. One that is taken is not.
func TestEscalation(t *testing.T) {
	w := newWorld(t)
	addr, mails := mailServer(t)
	o := w.options()
	o.Escalation = map[string][]Next{"hs-sf": {{Priority: event.P1, After: 30 * time.Minute, To: "ben@example.com"}, {After: 90 * 24 * time.Hour, To: "cto"}}}
	o.File = w.quickFor(config.Notify{
		Email: "revops@example.com", SMTP: &config.SMTP{Host: addr, From: "plumbline@example.com", Plain: true},
	}, addresses(o.Escalation))
	now := time.Now()
	o.Now = func() time.Time { return now }
	w.start(o)
	taken, left := incident("i1", event.AlertFiring), incident("i2", event.AlertFiring)
	taken.Status, taken.AcknowledgedBy = event.AlertAcknowledged, "ana@example.com"
	taken.Since, left.Since = event.JSONTime(event.At(now.Add(-time.Hour))), event.JSONTime(event.At(now.Add(-time.Hour)))
	w.say(taken)
	w.say(left)
	to := func(who, word string) (n int) {
		for _, m := range mails() {
			if strings.Contains(m, "To: "+who) && strings.Contains(m, word) {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return to("ben@example.com", "nobody took this for 30 min: next is ben@example.com") == 1 }, time.Minute, 50*time.Millisecond)
	require.Eventually(t, func() bool { return to("revops@example.com", "not taken") == 1 }, time.Minute, 50*time.Millisecond, "whose channel it is")
	left.Status = event.AlertResolved
	w.say(left)
	require.Eventually(t, func() bool { return to("ben@example.com", "[OVER]") == 1 }, time.Minute, 50*time.Millisecond)
	for _, m := range mails() {
		require.NotContains(t, m, "incident=i1", "it was taken")
	}
}

// Steps are reached by age, at their time and not before; what is taken, what
// is silenced and what is no page stays where it is.
func TestEscalationSteps(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	steps := []Next{{After: 2 * time.Hour, To: "cto"}, {Priority: event.P1, After: 30 * time.Minute, To: "ben"}, {Priority: event.P2, After: time.Minute, To: "eve"}}
	at := func(age time.Duration, change func(*event.Alert)) string {
		a := incident("x", event.AlertFiring)
		a.Since = event.JSONTime(event.At(now.Add(-age)))
		if change != nil {
			change(&a)
		}
		if n := escalated(steps, &a, now); n != nil {
			return n.To
		}
		return ""
	}
	require.Empty(t, at(30*time.Minute-time.Second, nil))
	require.Equal(t, "ben", at(30*time.Minute, nil))
	require.Equal(t, "cto", at(2*time.Hour, nil))
	require.Empty(t, at(5*time.Hour, func(a *event.Alert) { a.AcknowledgedBy = "ana" }))
	require.Empty(t, at(5*time.Hour, func(a *event.Alert) { a.SilencedUntil = event.JSONTime(event.At(now.Add(time.Hour))) }))
	require.Empty(t, at(5*time.Hour, func(a *event.Alert) { a.Severity = event.Ticket }))
	require.Empty(t, at(5*time.Hour, func(a *event.Alert) { a.Status = event.AlertResolved }))
}

// An Alertmanager of somebody else is sent what stands, again and again, with
// an end that lies ahead; what ended has its end.
func TestExternalAlertmanager(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var all []posted
	am := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var list []posted
		if r.URL.Path != "/api/v2/alerts" || json.Unmarshal(body, &list) != nil {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, list...)
	}))
	t.Cleanup(am.Close)
	o := w.options()
	o.File, o.Config.Alertmanager = "", am.URL
	w.start(o)
	a := w.say(incident("i1", event.AlertFiring))
	count := func(match func(posted) bool) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range all {
			if match(p) {
				n++
			}
		}
		return n
	}
	stands := func(p posted) bool {
		return p.Labels["alert_id"] == "i1" && p.EndsAt.After(time.Now().Add(4*time.Minute))
	}
	require.Eventually(t, func() bool { return count(stands) >= 3 }, time.Minute, 50*time.Millisecond)
	a.Status = event.AlertResolved
	w.say(a)
	require.Eventually(t, func() bool {
		return count(func(p posted) bool { return p.Labels["alert_id"] == "i1" && p.EndsAt.Before(time.Now()) }) >= 1
	}, 20*time.Second, 50*time.Millisecond)
}

func TestOneActiveCopy(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	w.start(o)
	o.Registerer = nil
	_, err := New(o)
	require.ErrorContains(t, err, "another notify works on")
}

func TestGuardRefusesPrivateAddresses(t *testing.T) {
	_, err := guarded(false)(t.Context(), "tcp", "localhost:1")
	require.ErrorContains(t, err, "notify.allow_private")
}

func TestTrialReportsEachReceiver(t *testing.T) {
	s := newSlack(t)
	o := Options{
		Config:  config.Notify{Slack: "s", AllowPrivate: true},
		Resolve: func(config.Secret) ([]byte, error) { return []byte(s.URL + "\n"), nil },
	}
	out, err := Trial(context.Background(), o)
	require.NoError(t, err)
	require.Len(t, out, 1)
	require.NoError(t, out[0].Err)
	require.Contains(t, s.got()[0], "THIS IS A TEST")
	o.Config.AllowPrivate = false
	out, err = Trial(context.Background(), o)
	require.NoError(t, err)
	require.ErrorContains(t, out[0].Err, "no public address")
}

func TestRenderSaysWhatIsMissing(t *testing.T) {
	_, err := Render(config.Notify{Email: "a@example.com"}, nil, nil)
	require.ErrorContains(t, err, "notify.smtp")
}
