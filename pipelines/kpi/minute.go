package kpi

import (
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// maxFailed bounds the records a minute names: a warning asks for three.
const maxFailed = 8

// at is the hour's entry of a minute, made if it is not there.
func (h *Hour) at(m event.Time) *Minute {
	i, ok := slices.BinarySearchFunc(h.Minutes, m, func(x Minute, at event.Time) int { return int(x.At - at) })
	if !ok {
		h.Minutes = slices.Insert(h.Minutes, i, Minute{At: m})
	}
	return &h.Minutes[i]
}

func (m *Minute) state(name string, n int64) {
	i, ok := slices.BinarySearchFunc(m.States, name, func(x Tally, s string) int { return strings.Compare(x.State, s) })
	if !ok {
		m.States = slices.Insert(m.States, i, Tally{State: name})
	}
	if m.States[i].N += n; m.States[i].N == 0 {
		m.States = slices.Delete(m.States, i, i+1)
	}
}

// transition moves deliveries from one state to another.
func (m *Minute) transition(c *event.DeliveryCount) {
	if c.Was != "" {
		m.state(c.Was, -c.N)
	}
	m.state(c.State, c.N)
	if arrived(c.State) && !arrived(c.Was) && c.Late {
		m.Late += c.N
	}
	for _, r := range c.Records {
		if event.Trouble(c.State) || c.Late {
			m.Missed = within(m.Missed, r)
		} else {
			m.Missed = slices.DeleteFunc(m.Missed, func(x string) bool { return x == r })
		}
	}
}

func (m *Minute) measure(c *event.LatencyCount) {
	i := slices.IndexFunc(m.Histograms, func(h Histogram) bool { return h.Basis == c.Basis })
	if i < 0 {
		i, m.Histograms = len(m.Histograms), append(m.Histograms, Histogram{Basis: c.Basis})
	}
	h := &m.Histograms[i]
	if c.OnTime {
		h.OnTime += c.N
	}
	h.add(c.Bucket, c.N)
}

func (h *Histogram) add(bucket int, n int64) {
	i, ok := slices.BinarySearchFunc(h.Buckets, bucket, func(b Bucket, at int) int { return b.B - at })
	if !ok {
		h.Buckets = slices.Insert(h.Buckets, i, Bucket{B: bucket})
	}
	if h.Buckets[i].N += n; h.Buckets[i].N == 0 {
		h.Buckets = slices.Delete(h.Buckets, i, i+1)
	}
}

func (h *Histogram) count() (n int64) {
	for _, b := range h.Buckets {
		n += b.N
	}
	return n
}

// quantile is the bucket of the exact quantile: what ClickHouse's
// quantileExact takes, entry floor(level*n) of the sorted ones.
func (h *Histogram) quantile(level float64) int {
	rank := int64(level * float64(h.count()))
	for _, b := range h.Buckets {
		if rank -= b.N; rank < 0 {
			return b.B
		}
	}
	return 0
}

func within(list []string, key string) []string {
	if len(list) >= maxFailed || slices.Contains(list, key) {
		return list
	}
	return append(list, key)
}

// Sets of states, as the views name them (kpis.md 1, 2).
func arrived(s string) bool { return s == event.StateApplied || s == event.StateVerified }

func waits(s string) bool {
	return s == event.StateObserved || s == event.StateAttempted || s == event.StateStalled || s == event.StateFailed
}

func missing(s string) bool { return waits(s) || s == event.StateNotApplied }

func unseen(s string) bool { return s == event.StateUnobserved || s == event.StateAcknowledged }

func gone(s string) bool { return s == event.StateSuperseded || s == event.StateOverwritten }
