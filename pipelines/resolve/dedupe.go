package resolve

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// dedupe remembers the event ids of one partition as 64-bit fingerprints, in
// hourly generations of stream time. Within a generation they stand in blocks
// of fixed position: saving rewrites the last block only, loading is a copy.
//
// Two ids share a fingerprint with a chance of n/2^64: at a billion ids kept,
// one event in eighteen billion is dropped wrongly.
type dedupe struct {
	keep  int64 // generations, hours
	limit int   // ids at most: the oldest block goes first
	seen  map[uint64]uint32
	gens  map[int64]*generation
	dirty map[blockID]struct{}
	gone  []blockID
	walk  []blockID
	count int
	buf   []byte
}

// generation holds an hour's blocks; those let go are empty.
type generation struct {
	blocks [][]mark
	from   int // no block before it holds anything
	count  int
}

// mark is an event: its id, and its body so that another event under the same
// id is not taken for a redelivery.
type mark struct {
	id   uint64
	body uint32
}

type blockID struct {
	hour  int64
	index int
}

const (
	blockLen  = 512
	markBytes = 12
	maxBlocks = 1 << 17 // of one hour: 67 million ids
	// dedupePrefix starts the state keys of blocks.
	dedupePrefix = "seen/"
)

func newDedupe(keepHours int64, limit int) *dedupe {
	return &dedupe{
		keep: keepHours, limit: limit, seen: map[uint64]uint32{}, gens: map[int64]*generation{},
		dirty: map[blockID]struct{}{},
	}
}

type verdict int

const (
	isNew verdict = iota
	isRedelivery
	isConflict // the id is known, with another body
)

// check remembers an event and says whether it was seen.
func (d *dedupe) check(at event.Time, source, id string, body uint64) verdict {
	fp := fingerprint(source, id)
	short := uint32(body)
	known, ok := d.seen[fp]
	switch {
	case ok && known == short:
		return isRedelivery
	case ok:
		fp = fingerprint(source, id+"\x1f"+strconv.FormatUint(body, 16))
		if _, again := d.seen[fp]; again {
			return isRedelivery
		}
		d.add(int64(at)/event.Hour, mark{fp, short})
		return isConflict
	}
	d.add(int64(at)/event.Hour, mark{fp, short})
	return isNew
}

func fingerprint(source, id string) uint64 {
	var h xxhash.Digest
	h.Reset()
	_, _ = h.WriteString(source)
	_, _ = h.WriteString("\x1f")
	_, _ = h.WriteString(id)
	return h.Sum64()
}

func (d *dedupe) add(hour int64, m mark) {
	g := d.gens[hour]
	if g == nil {
		g = &generation{}
		d.gens[hour] = g
	}
	last := len(g.blocks) - 1
	if last < 0 || len(g.blocks[last]) == blockLen {
		g.blocks = append(g.blocks, make([]mark, 0, blockLen))
		last++
	}
	g.blocks[last] = append(g.blocks[last], m)
	d.dirty[blockID{hour, last}] = struct{}{}
	d.seen[m.id] = m.body
	g.count++
	d.count++
}

// expire forgets generations that no vendor redelivers from any more, and the
// oldest blocks while more ids are held than memory allows.
func (d *dedupe) expire(now event.Time) {
	oldest := int64(now)/event.Hour - d.keep
	for hour := range d.gens {
		if hour < oldest {
			d.forget(hour)
		}
	}
	for d.count > d.limit && d.forgetOldest() {
		continue
	}
}

func (d *dedupe) first() int64 {
	first := int64(1) << 62
	for hour := range d.gens {
		first = min(first, hour)
	}
	return first
}

func (d *dedupe) forget(hour int64) {
	for i := range d.gens[hour].blocks {
		d.drop(blockID{hour, i})
	}
}

// forgetOldest lets one block go. The block that is being filled stays, so a
// partition may hold that much more than its limit.
func (d *dedupe) forgetOldest() bool {
	hour := d.first()
	g := d.gens[hour]
	for len(g.blocks[g.from]) == 0 {
		g.from++
	}
	if g.from == len(g.blocks)-1 && len(d.gens) == 1 {
		return false
	}
	d.drop(blockID{hour, g.from})
	return true
}

// drop forgets a block, and with the last of its hour the hour.
func (d *dedupe) drop(b blockID) {
	g := d.gens[b.hour]
	if g == nil || b.index >= len(g.blocks) || len(g.blocks[b.index]) == 0 {
		return
	}
	block := g.blocks[b.index]
	for _, m := range block {
		delete(d.seen, m.id)
	}
	g.count -= len(block)
	d.count -= len(block)
	g.blocks[b.index] = nil
	delete(d.dirty, b)
	d.gone = append(d.gone, b)
	if g.count == 0 {
		delete(d.gens, b.hour)
	}
}

func (b blockID) key() string {
	return dedupePrefix + strconv.FormatInt(b.hour, 10) + "/" + strconv.Itoa(b.index)
}

func parseBlockID(key string) (blockID, error) {
	hour, index, ok := strings.Cut(strings.TrimPrefix(key, dedupePrefix), "/")
	h, err1 := strconv.ParseInt(hour, 10, 64)
	i, err2 := strconv.Atoi(index)
	if !ok || err1 != nil || err2 != nil || i < 0 || i > maxBlocks {
		return blockID{}, fmt.Errorf("state key %q is not seen/hour/block", key)
	}
	return blockID{h, i}, nil
}

func (d *dedupe) save(emit stream.Emit) error {
	for _, b := range d.gone {
		if err := emit(b.key(), nil); err != nil {
			return err
		}
	}
	d.gone = d.gone[:0]
	for b := range d.dirty {
		if err := d.emit(b, emit); err != nil {
			return err
		}
	}
	clear(d.dirty)
	return nil
}

func (d *dedupe) emit(b blockID, emit stream.Emit) error {
	buf := d.buf[:0]
	for _, m := range d.gens[b.hour].blocks[b.index] {
		buf = binary.BigEndian.AppendUint64(buf, m.id)
		buf = binary.BigEndian.AppendUint32(buf, m.body)
	}
	d.buf = buf
	return emit(b.key(), buf)
}

// rewrite walks over all blocks; a block counts as one entry.
func (d *dedupe) rewrite(n int, emit stream.Emit) (bool, error) {
	if len(d.walk) == 0 {
		for hour, g := range d.gens {
			for i := range g.blocks {
				d.walk = append(d.walk, blockID{hour, i})
			}
		}
	}
	for ; n > 0 && len(d.walk) > 0; n-- {
		b := d.walk[len(d.walk)-1]
		d.walk = d.walk[:len(d.walk)-1]
		if g := d.gens[b.hour]; g == nil || b.index >= len(g.blocks) || len(g.blocks[b.index]) == 0 {
			continue // forgotten since the walk began
		}
		if err := d.emit(b, emit); err != nil {
			return false, err
		}
	}
	return len(d.walk) == 0, nil
}

func (d *dedupe) load(key string, value []byte) error {
	b, err := parseBlockID(key)
	if err != nil {
		return err
	}
	if value == nil {
		d.drop(b)
		d.gone = d.gone[:0]
		return nil
	}
	if len(value)%markBytes != 0 || len(value) > blockLen*markBytes {
		return fmt.Errorf("block %q has %d bytes", key, len(value))
	}
	g := d.gens[b.hour]
	if g == nil {
		g = &generation{}
		d.gens[b.hour] = g
	}
	for len(g.blocks) <= b.index {
		g.blocks = append(g.blocks, nil)
	}
	was := len(g.blocks[b.index])
	block := g.blocks[b.index][:0]
	for ; len(value) > 0; value = value[markBytes:] {
		m := mark{binary.BigEndian.Uint64(value), binary.BigEndian.Uint32(value[8:])}
		block = append(block, m)
		d.seen[m.id] = m.body
	}
	g.blocks[b.index] = block
	g.count += len(block) - was
	d.count += len(block) - was
	return nil
}
