package compact

import (
	"encoding/binary"
	"unsafe"
)

// words are the strings that both sides know beforehand.
type words struct {
	list []string
	at   [256]uint8 // place by place, one more than the word's number
}

func newWords(list []string) words {
	if len(list) > 100 {
		panic("compact: too many words")
	}
	w := words{list: list}
	for i, s := range list {
		if _, ok := w.find(s); ok {
			continue // named twice
		}
		at := placeOf(s)
		for w.at[at] != 0 {
			at++
		}
		w.at[at] = uint8(i + 1)
	}
	return w
}

// placeOf tells the words apart well enough without looking at all of them:
// nearly every string that is looked for is none.
func placeOf(s string) uint8 { return uint8(len(s))*37 + s[0]*5 + s[len(s)-1] }

func (w *words) find(s string) (uint64, bool) {
	for at := placeOf(s); w.at[at] != 0; at++ {
		if i := w.at[at] - 1; w.list[i] == s {
			return uint64(i), true
		}
	}
	return 0, false
}

// met are the strings and sums written, or read, so far. What is beyond its room is
// written again whenever it comes.
type met struct {
	list [24]string
	n    int
	sums [16]uint64
	m    int
}

func (m *met) add(s string) {
	if m.n < len(m.list) {
		m.list[m.n] = s
		m.n++
	}
}

// A string is 0, its length and its bytes; or an odd number, the place of one
// that was met; or an even one, that of a word.
func (w *writer) string(s string) {
	if s == "" { // one of a list
		w.buf = append(w.buf, 0, 0)
		return
	}
	if i, ok := w.words.find(s); ok {
		w.uint(2*i + 2)
		return
	}
	for i := range w.met.n {
		if w.met.list[i] == s {
			w.uint(uint64(2*i + 1))
			return
		}
	}
	w.met.add(s)
	w.buf = append(w.buf, 0)
	w.uint(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (r *reader) string() string {
	switch code := r.uint(); {
	case code == 0:
		b := r.take(r.uint())
		if len(b) == 0 {
			return ""
		}
		s := unsafe.String(unsafe.SliceData(b), len(b))
		r.met.add(s)
		return s
	case code%2 == 1 && code/2 < uint64(r.met.n):
		return r.met.list[code/2]
	case code%2 == 0 && code/2 <= uint64(len(r.words.list)):
		return r.words.list[code/2-1]
	}
	r.fail()
	return ""
}

// A sum is 0 and its eight bytes, or one more than the place of one met.
func (w *writer) sum(v uint64) {
	for i := range w.met.m {
		if w.met.sums[i] == v {
			w.uint(uint64(i) + 1)
			return
		}
	}
	w.met.addSum(v)
	w.buf = binary.LittleEndian.AppendUint64(append(w.buf, 0), v)
}

func (r *reader) sum() uint64 {
	switch at := r.uint(); {
	case at == 0:
		b := r.take(8)
		if b == nil {
			return 0
		}
		v := binary.LittleEndian.Uint64(b)
		r.met.addSum(v)
		return v
	case at <= uint64(r.met.m):
		return r.met.sums[at-1]
	}
	r.fail()
	return 0
}

func (m *met) addSum(v uint64) {
	if m.m < len(m.sums) {
		m.sums[m.m] = v
		m.m++
	}
}
