package kpi

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// window sums the minutes of one integration from From until To.
type window struct {
	from, to   event.Time
	ok, ended  int64
	failed     []string
	missed     []string
	records    int64 // due deliveries that count
	recordsOK  int64
	unseen     int64
	observed   int64 // overdue a moment ago: a tick will name them
	silent     int64
	overdue    int64 // waiting, and due in the window
	due        int64
	open       []aged
	histograms map[string]*Histogram
}

// aged are deliveries of one due minute that did not arrive.
type aged struct {
	due event.Time
	n   int64
}

// over visits the minutes of a window.
func (k *KPI) over(integration string, from, to event.Time, visit func(*Minute)) {
	for hour := floor(from, event.Hour); hour < to; hour += event.Hour {
		h := k.hours.Get(hourKey(integration, hour))
		if h == nil {
			continue
		}
		for i := range h.Minutes {
			if m := &h.Minutes[i]; m.At >= from && m.At < to {
				visit(m)
			}
		}
	}
}

func (k *KPI) sum(integration string, from, to event.Time) *window {
	w := &window{from: from, to: to, histograms: map[string]*Histogram{}}
	k.over(integration, from, to, func(m *Minute) {
		w.ok += m.OK
		w.ended += m.Ended
		for _, r := range m.Failed {
			w.failed = within(w.failed, r)
		}
		for _, r := range m.Missed {
			w.missed = within(w.missed, r)
		}
		w.states(m)
		for i := range m.Histograms {
			h := w.histograms[m.Histograms[i].Basis]
			if h == nil {
				h = &Histogram{}
				w.histograms[m.Histograms[i].Basis] = h
			}
			h.OnTime += m.Histograms[i].OnTime
			for _, b := range m.Histograms[i].Buckets {
				h.add(b.B, b.N)
			}
		}
	})
	return w
}

func (w *window) states(m *Minute) {
	var open int64
	for _, s := range m.States {
		switch {
		case arrived(s.State):
			w.recordsOK += s.N
			w.records += s.N
		case missing(s.State):
			w.records += s.N
			open += s.N
		case unseen(s.State):
			w.unseen += s.N
		}
		switch s.State {
		case event.StateNotApplied:
			w.silent += s.N
		case event.StateObserved:
			w.observed += s.N
		}
		if waits(s.State) {
			w.overdue += s.N
		}
		if !gone(s.State) {
			w.due += s.N
		}
	}
	w.recordsOK -= m.Late
	if open > 0 {
		w.open = append(w.open, aged{m.At, open})
	}
}

// on is the histogram of a basis with the open ones at their present age:
// otherwise an outage, in which only the lucky arrive, would improve it.
func (w *window) on(basis string, deadline event.Time) (h Histogram, delivered int64) {
	if got := w.histograms[basis]; got != nil {
		h.OnTime, h.Buckets = got.OnTime, slices.Clone(got.Buckets)
		delivered = h.count()
	}
	for _, a := range w.open {
		h.add(event.LatencyBucket(int64(w.to-(a.due-deadline))), a.n)
	}
	return h, delivered
}
