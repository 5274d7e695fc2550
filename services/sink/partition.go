package sink

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// partition is what this member knows of a partition it owns.
type partition struct {
	id    int32
	epoch string
	next  int64            // where the next range begins
	wait  []fate           // read, not yet in a batch
	bytes int              // of wait
	rows  int              // of wait: what becomes a row or a dead letter
	last  map[string]int64 // highest offset of each table, for the audit
	found *note            // an intent to settle before anything new
	// Below recheck a row may be stored already, by a batch stale if that was
	// under way: ClickHouse lost some and they are read again.
	recheck int64
	stale   string
}

// add takes a record that was read. An intent begins at the committed offset;
// where there is none, at the first record.
func (p *partition) add(f fate) {
	if p.next < 0 {
		p.next = f.offset
	}
	p.wait = append(p.wait, f)
	p.bytes += f.size()
	p.rows += f.kept()
}

// complete reports whether the whole range of a found intent was read again.
func (p *partition) complete() bool {
	return p.found != nil && len(p.wait) > 0 && p.wait[len(p.wait)-1].offset >= p.found.To
}

// span is a range of one partition that is inserted together.
type span struct {
	part  *partition
	from  int64
	to    int64
	fates []fate
	found *note // the intent it settles, if any
}

// cut takes up to n records from the front. A found intent is taken exactly,
// whatever n says.
func (p *partition) cut(n int) span {
	s := span{part: p, from: p.next, found: p.found}
	if p.found != nil {
		n = 0
		for n < len(p.wait) && p.wait[n].offset <= p.found.To {
			n++
		}
	}
	n = min(n, len(p.wait))
	s.fates = p.wait[:n:n]
	if n > 0 {
		s.to = s.fates[n-1].offset
	}
	p.wait = p.wait[n:]
	for i := range s.fates {
		p.bytes -= s.fates[i].size()
		p.rows -= s.fates[i].kept()
	}
	if len(p.wait) == 0 {
		p.wait = nil
	}
	p.found, p.next = nil, s.to+1
	return s
}

// matches reports whether what was read again is what the intent speaks of.
func (s *span) matches() error {
	n := s.found
	if n == nil {
		return nil
	}
	if len(s.fates) != n.N || s.to != n.To {
		return fmt.Errorf("%w: partition %d, offsets %d to %d: %d records were there, %d are left",
			ErrDamaged, s.part.id, n.From, n.To, n.N, len(s.fates))
	}
	if sum := s.sum(); sum != n.Sum {
		return fmt.Errorf("%w: partition %d, offsets %d to %d hold other records than when they were first read",
			ErrDamaged, s.part.id, n.From, n.To)
	}
	if !n.sameEncoder() {
		return nil
	}
	for table, rows := range s.rows() {
		if n.Rows[table] != rows {
			return fmt.Errorf("%w: partition %d, offsets %d to %d: %d rows of %s were there, now %d",
				ErrDamaged, s.part.id, n.From, n.To, n.Rows[table], table, rows)
		}
	}
	return nil
}

// sum tells a range from any other one, also after the log lost its end and
// grew another.
func (s *span) sum() uint32 {
	var sum uint32
	var b [12]byte
	for i := range s.fates {
		binary.LittleEndian.PutUint64(b[:], uint64(s.fates[i].offset))
		binary.LittleEndian.PutUint32(b[8:], s.fates[i].sum)
		sum = crc32.Update(sum, castagnoli, b[:])
	}
	return sum
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rows counts the rows for each table.
func (s *span) rows() map[string]int {
	out := map[string]int{}
	for i := range s.fates {
		if k := s.fates[i].kind; k != nil {
			out[k.table.Name]++
		}
	}
	return out
}

func (s *span) intent(batch string, gen int) (bus.Position, error) {
	n := note{
		Epoch: s.part.epoch, Batch: batch, Gen: gen, From: s.from, To: s.to, N: len(s.fates), Sum: s.sum(), Rows: s.rows(),
		Encoder: warehouse.EncoderVersion, Last: s.part.last,
	}
	text, err := n.encode()
	return bus.Position{Offset: s.from, Metadata: text}, err
}

// done notes the newest offset of each table: the audit holds ClickHouse to it.
func (s *span) done() (bus.Position, error) {
	if s.part.last == nil {
		s.part.last = map[string]int64{}
	}
	for i := range s.fates {
		if f := &s.fates[i]; f.kind != nil {
			s.part.last[f.kind.table.Name] = f.offset
		}
	}
	n := note{Epoch: s.part.epoch, Last: s.part.last}
	text, err := n.encode()
	return bus.Position{Offset: s.to + 1, Metadata: text}, err
}
