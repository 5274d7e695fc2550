// Package timeline is virtual time: events run one after the other, in the
// order of their instants, on the caller's goroutine. Whatever the wall clock
// does, the same start and seed give the same run.
package timeline

import (
	"container/heap"
	"time"
)

// Timeline orders what is going to happen. The zero value starts at 1970.
type Timeline struct {
	now   int64 // milliseconds
	seq   uint64
	queue queue
}

// New starts at an instant.
func New(start time.Time) *Timeline { return &Timeline{now: start.UnixMilli()} }

// Now is virtual time in milliseconds since 1970.
func (t *Timeline) Now() int64 { return t.now }

// At runs f at an instant; one that has passed means now.
func (t *Timeline) At(ms int64, f func()) {
	t.seq++
	heap.Push(&t.queue, entry{max(ms, t.now), t.seq, f})
}

// After runs f in a while.
func (t *Timeline) After(d time.Duration, f func()) { t.At(t.now+d.Milliseconds(), f) }

// Next is the instant of the next event; false means that nothing will happen.
func (t *Timeline) Next() (int64, bool) {
	if len(t.queue) == 0 {
		return 0, false
	}
	return t.queue[0].at, true
}

// Reach moves time on to an instant, but not beyond the next event.
func (t *Timeline) Reach(ms int64) {
	if next, ok := t.Next(); ok {
		ms = min(ms, next)
	}
	t.now = max(t.now, ms)
}

// Step moves time to the next event and runs it.
func (t *Timeline) Step() {
	e := heap.Pop(&t.queue).(entry)
	t.now = e.at
	e.run()
}

type entry struct {
	at  int64
	seq uint64 // of two at one instant, the one planned first
	run func()
}

type queue []entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = entry{} // the closure must not live on behind the slice
	*q = old[:len(old)-1]
	return last
}
