package kafka

import "math"

// seqWindow is what a producer wrote last to a partition: kfake drops a batch
// it finds in there as a retry. kfake saves the windows on an orderly stop
// only; without them every retry after a crash would be a second copy, and old
// ones would have it refuse what is new.
type seqWindow struct {
	PID     int64       `json:"pid"`
	Topic   string      `json:"topic"`
	Part    int32       `json:"partition"`
	Entries [5]seqEntry `json:"entries"`
	Count   uint8       `json:"count"`
	At      uint8       `json:"at"`
	Epoch   int16       `json:"epoch"`
	Seen    bool        `json:"seen"`
	NextSeq int32       `json:"next_seq"`
}

type seqEntry struct {
	FirstSeq int32 `json:"first_seq"`
	NextSeq  int32 `json:"next_seq"`
	Offset   int64 `json:"offset"`
}

type seqWindows struct {
	Version int          `json:"version"`
	Windows []*seqWindow `json:"windows"`
}

func (p *partition) window(pid int64) *seqWindow {
	w := p.last[pid]
	if w == nil {
		w = &seqWindow{PID: pid, Topic: p.topic, Part: p.num}
		p.last[pid] = w
	}
	return w
}

func (w *seqWindow) add(b batch) {
	if w.Epoch != b.epoch {
		*w = seqWindow{PID: w.PID, Topic: w.Topic, Part: w.Part, Epoch: b.epoch}
	}
	// A sequence wraps before the largest number, as in kfake.
	next := int32((int64(b.firstSeq) + int64(b.number)) % math.MaxInt32) //nolint:gosec // bounded by the modulus
	w.Entries[w.At] = seqEntry{b.firstSeq, next, b.offset}
	w.At = (w.At + 1) % uint8(len(w.Entries))
	w.Count = min(w.Count+1, uint8(len(w.Entries)))
	w.Seen, w.NextSeq = true, next
}
