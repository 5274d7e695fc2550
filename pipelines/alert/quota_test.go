package alert_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/alert"
	"plumbline.dev/pipelines/quota"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// meter reads an account's counter and hears what becomes of it.
type meter struct {
	t    *testing.T
	op   stream.Operator
	at   event.Time // stream time
	told []*event.Alert
}

func newMeter(t *testing.T) *meter {
	return &meter{t: t, at: noon, op: stream.NewChain(
		stream.Link{Name: "quota", Op: quota.New()}, stream.Link{Name: "alert", Op: alert.New("http://console")},
	)}
}

const (
	noon      = event.Time(1_767_268_800_000) // 2026-01-01 12:00
	limit     = 100_000
	quarterly = 15 * event.Minute
)

// reads is what the counter showed at an instant, heard no earlier than that.
func (m *meter) reads(at event.Time, used int64) {
	m.at = max(m.at, at)
	text := func(name string, n int64) event.Field {
		return event.Field{Name: name, Value: event.Value{Text: strconv.FormatInt(n, 10)}}
	}
	var out stream.Out
	m.op.Step(stream.Ctx{Now: m.at}, "", &event.Signal{
		ID: "u", Tenant: "t", Integration: "hs-sf", Kind: event.SignalUsage, System: "salesforce", StartedAt: at, ReceivedAt: at,
		Detail: []event.Field{text("max", limit), text("used", used)},
	}, &out)
	m.hear(&out)
}

// passes lets time pass in which nobody reads anything.
func (m *meter) passes(span event.Time) {
	for end := m.at + span; m.at < end; m.at += event.Minute {
		var out stream.Out
		m.op.Tick(stream.Ctx{Now: m.at}, &out)
		m.hear(&out)
	}
}

func (m *meter) hear(out *stream.Out) {
	for _, o := range out.List {
		if a, ok := o.Event.(*event.Alert); ok && o.Topic == topic.AlertStates && a.Rule == event.RuleQuota {
			m.told = append(m.told, a)
		}
	}
}

// rises feeds readings a quarter of an hour apart.
func (m *meter) rises(from event.Time, used ...int64) {
	for i, u := range used {
		m.reads(from+event.Time(i)*quarterly, u)
	}
	m.passes(5 * event.Minute)
}

func (m *meter) firing() bool {
	return len(m.told) > 0 && m.told[len(m.told)-1].Status == event.AlertFiring
}

// The alert is about the forecast: nothing has been refused yet. It says when
// the calls end, and what then stops without a word.
func TestQuotaIsToldAheadOfTheFirstRefusal(t *testing.T) {
	m := newMeter(t)
	m.rises(noon, 10_000, 20_000, 30_000, 40_000, 45_000)
	require.True(t, m.firing())
	a := m.told[0]
	require.Equal(t, event.Ticket, a.Severity)
	require.Contains(t, a.Summary, "of 100000 calls are used; at ")
	require.Contains(t, a.Summary, "an hour they end at 14:")
	require.Contains(t, a.Summary, "stops retrying")
	require.Equal(t, "hs-sf/salesforce/", a.Subject)

	// It ends when nothing is foreseen for an hour, and not by silence.
	m.passes(6 * event.Hour)
	require.True(t, m.firing(), "that nobody reads the counter is no good news")
	for at := m.at; at < noon+16*event.Hour; at += quarterly {
		m.reads(at, 45_000)
	}
	m.passes(event.Hour)
	require.False(t, m.firing())
	require.Equal(t, event.AlertResolved, m.told[len(m.told)-1].Status)
}

// Nobody is told below two fifths of the allowance, or of an end that is more
// than a day off: at, just under and just over.
func TestQuotaThresholds(t *testing.T) {
	for _, tt := range []struct {
		name string
		used []int64
		told bool
	}{
		{"just under two fifths", []int64{9_999, 19_999, 29_999, 39_999}, false},
		{"two fifths", []int64{10_000, 20_000, 30_000, 40_000}, true},
		{"just over", []int64{10_001, 20_001, 30_001, 40_001}, true},
		// 60,000 are left: at 2,500 an hour, 1,875 in these readings, they last a day.
		{"in a day", []int64{38_125, 38_750, 39_375, 40_000}, false},
		{"in a day and a bit", []int64{38_126, 38_750, 39_375, 40_000}, false},
		{"in less than a day", []int64{38_120, 38_750, 39_375, 40_000}, true},
		{"not at all", []int64{60_000, 60_000, 60_000, 60_000}, false},
		{"used up", []int64{99_000, 99_500, 99_900, 100_000}, true},
		{"too few readings", []int64{50_000, 90_000}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMeter(t)
			m.rises(noon, tt.used...)
			require.Equal(t, tt.told, m.firing())
		})
	}
}

// Readings that come late, twice or in another order change nothing.
func TestQuotaOfLateReadings(t *testing.T) {
	m, other := newMeter(t), newMeter(t)
	used := []int64{10_000, 20_000, 30_000, 40_000, 45_000}
	m.rises(noon, used...)
	for i, u := range used {
		at := noon + event.Time(i)*quarterly
		other.reads(at, u)
		other.reads(at, u)
		if i > 1 {
			other.reads(noon, used[0]) // the first once more: no counter that began anew
			other.reads(at-quarterly, used[i-1])
		}
	}
	other.passes(5 * event.Minute)
	require.Equal(t, m.told, other.told)
}
