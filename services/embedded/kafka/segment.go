package kafka

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// partition is what the segments of one partition say, which is all kfake
// goes by after a crash.
type partition struct {
	dir   string
	topic string
	num   int32

	bases []int64 // segments, oldest first
	next  int64   // the next offset
	size  int64   // whole bytes of the last segment
	index []byte  // what the last segment's index must be

	open      map[int64]int16      // transactions without a marker: producer id to epoch
	committed map[int64]int16      // the epoch of each producer's last commit marker
	last      map[int64]*seqWindow // what each producer wrote last
}

const (
	batchHeader = 61
	attrTxn     = 0x10
	attrControl = 0x20
)

// batch is the part of a record batch's header that recovery needs.
type batch struct {
	offset, pid      int64
	size             int
	leader           uint32
	attrs            uint16
	lastDelta        int32
	epoch            int16
	firstSeq, number int32
	commit           bool
}

func (b batch) txn() bool     { return b.attrs&attrTxn != 0 && b.attrs&attrControl == 0 }
func (b batch) control() bool { return b.attrs&attrControl != 0 }

// readBatch decodes the batch at the start of raw; ok is false when it is not
// a whole and undamaged one.
func readBatch(raw []byte) (b batch, ok bool) {
	if len(raw) < batchHeader {
		return b, false
	}
	be := binary.BigEndian
	size := int64(be.Uint32(raw[8:])) + 12
	if size < batchHeader || size > int64(len(raw)) {
		return b, false
	}
	b.size = int(size)
	if crc32.Checksum(raw[21:b.size], castagnoli) != be.Uint32(raw[17:]) {
		return b, false
	}
	b.offset, b.leader, b.attrs = int64(be.Uint64(raw)), be.Uint32(raw[12:]), be.Uint16(raw[21:]) //nolint:gosec // wire format
	b.lastDelta = int32(be.Uint32(raw[23:]))                                                      //nolint:gosec // wire format
	b.pid, b.epoch = int64(be.Uint64(raw[43:])), int16(be.Uint16(raw[51:]))                       //nolint:gosec // wire format
	b.firstSeq, b.number = int32(be.Uint32(raw[53:])), int32(be.Uint32(raw[57:]))                 //nolint:gosec // wire format
	b.commit = b.control() && isCommit(raw[batchHeader:b.size])
	return b, true
}

// isCommit reads the control record of a marker: length, attributes, two
// deltas and the key's length take one byte each, then the key is a version
// and a type.
func isCommit(record []byte) bool {
	return len(record) >= 9 && binary.BigEndian.Uint16(record[7:]) == 1
}

// scanPartition reads all segments of a folder named topic-number.
func scanPartition(dir string) (*partition, error) {
	name := filepath.Base(dir)
	cut := strings.LastIndexByte(name, '-')
	topic, err := url.PathUnescape(name[:max(cut, 0)])
	num, numErr := strconv.ParseInt(name[cut+1:], 10, 32)
	if err != nil || numErr != nil || topic == "" {
		return nil, fmt.Errorf("%s is not a partition's folder", dir)
	}
	p := &partition{
		dir: dir, topic: topic, num: int32(num),
		open: make(map[int64]int16), committed: make(map[int64]int16), last: make(map[int64]*seqWindow),
	}
	if err := p.list(); err != nil {
		return nil, err
	}
	for i, base := range p.bases {
		if err := p.scan(base, i == len(p.bases)-1); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *partition) list() error {
	files, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if base, ok := strings.CutSuffix(f.Name(), ".dat"); ok {
			if n, err := strconv.ParseInt(base, 10, 64); err == nil {
				p.bases = append(p.bases, n)
			}
		}
	}
	slices.Sort(p.bases)
	return nil
}

// scan reads one segment. Only the end of the last one may be half written;
// kfake would cut any other at the first damaged batch and say nothing.
func (p *partition) scan(base int64, last bool) error {
	raw, err := os.ReadFile(p.segment(base))
	if err != nil {
		return err
	}
	at := 0
	p.index = p.index[:0]
	for at < len(raw) {
		b, ok := readBatch(raw[at:])
		if !ok {
			break
		}
		p.see(b)
		p.index = appendIndex(p.index, b)
		at += b.size
	}
	p.size = int64(at)
	if at < len(raw) && !last {
		return fmt.Errorf("%s is damaged at byte %d", p.segment(base), at)
	}
	return nil
}

func (p *partition) segment(base int64) string {
	return filepath.Join(p.dir, strconv.FormatInt(base, 10)+".dat")
}

func (p *partition) see(b batch) {
	p.next = b.offset + int64(b.lastDelta) + 1
	switch {
	case b.control():
		delete(p.open, b.pid)
		if b.commit {
			p.committed[b.pid] = b.epoch
		}
		return
	case b.txn():
		p.open[b.pid] = b.epoch
	}
	if b.pid >= 0 {
		p.window(b.pid).add(b)
	}
}

// appendIndex adds kfake's index entry of a batch: version, checksum, leader
// epoch, a timestamp that loading recomputes, and whether it is transactional.
func appendIndex(idx []byte, b batch) []byte {
	var e [15]byte
	e[0] = stateVersion
	binary.LittleEndian.PutUint32(e[2:], b.leader)
	binary.LittleEndian.PutUint64(e[6:], math.MaxUint64)
	if b.txn() {
		e[14] = 1
	}
	e[1] = byte(crc32.Checksum(e[2:], castagnoli))
	return append(idx, e[:]...)
}
