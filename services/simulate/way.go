package simulate

import "sync"

// way is what is on its way to the receiver, oldest first.
type way struct {
	mu      sync.Mutex
	tickets []*ticket
}

// ticket is one post, from when it was decided until it was taken.
type ticket struct {
	at   int64
	done bool
}

func (w *way) enter(at int64) *ticket {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &ticket{at: at}
	w.tickets = append(w.tickets, t)
	return t
}

func (w *way) leave(tickets []*ticket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range tickets {
		t.done = true
	}
	n := 0
	for n < len(w.tickets) && w.tickets[n].done {
		n++
	}
	w.tickets = w.tickets[n:]
}

// oldest is the instant of the oldest that is still under way; false: none is.
func (w *way) oldest() (int64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tickets) == 0 {
		return 0, false
	}
	return w.tickets[0].at, true
}
