package stream

// timerHeap orders the armed keys by (due, key), the same on every run. A key
// stands in it at most once: a hot key that moves its timer with every event
// must not fill it.
type timerHeap[S any] []*keyEntry[S]

func (h timerHeap[S]) Len() int { return len(h) }
func (h timerHeap[S]) Less(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].key < h[j].key
}

func (h timerHeap[S]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = int32(i), int32(j)
}

// Push implements heap.Interface.
func (h *timerHeap[S]) Push(x any) {
	e := x.(*keyEntry[S])
	e.slot = int32(len(*h))
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *timerHeap[S]) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
