package kafka

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// marker is the control batch that ends a transaction in one partition.
func marker(offset, pid int64, epoch int16, commit bool) []byte {
	key := kmsg.ControlRecordKey{Type: kmsg.ControlRecordKeyTypeAbort}
	if commit {
		key.Type = kmsg.ControlRecordKeyTypeCommit
	}
	rec := kmsg.Record{Key: key.AppendTo(nil), Value: new(kmsg.EndTxnMarker).AppendTo(nil)}
	// The length counts what follows it, and is itself one byte.
	rec.Length = int32(len(rec.AppendTo(nil)) - 1) //nolint:gosec // a few bytes
	now := time.Now().UnixMilli()
	b := kmsg.RecordBatch{
		FirstOffset: offset, Magic: 2, Attributes: attrTxn | attrControl,
		FirstTimestamp: now, MaxTimestamp: now,
		ProducerID: pid, ProducerEpoch: epoch, FirstSequence: -1,
		NumRecords: 1, Records: rec.AppendTo(nil),
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12)) //nolint:gosec // a few bytes
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
	return raw
}

// finish cuts a half-written batch, makes the index fit and ends every open
// transaction: as a commit when commits names it, else as an abort. kfake would
// take an open transaction for aborted without writing a marker, and then
// readers skip all that its producer writes later, and the next crash turns
// the aborted records into committed ones.
func (p *partition) finish(commits func(pid int64, epoch int16) bool) error {
	if len(p.bases) == 0 {
		return nil
	}
	var add []byte
	for pid, epoch := range p.open {
		raw := marker(p.next, pid, epoch, commits(pid, epoch))
		b, _ := readBatch(raw)
		p.see(b)
		p.index = appendIndex(p.index, b)
		add = append(add, raw...)
	}
	path := p.segment(p.bases[len(p.bases)-1])
	idx := strings.TrimSuffix(path, ".dat") + ".idx"
	if add == nil && fileSize(path) == p.size && fileSize(idx) == int64(len(p.index)) {
		return nil
	}
	if err := writeAt(idx, 0, p.index); err != nil {
		return err
	}
	return writeAt(path, p.size, add)
}

// hold gives an empty partition one control record just below next, which no
// reader sees. kfake starts an empty partition at offset 0 again, and a
// consumer that remembers a higher one would wait for it or skip what is new.
func (p *partition) hold(next int64) error {
	if p.next >= next {
		return nil
	}
	base := next - 1
	if err := writeAt(p.segment(base), 0, marker(base, -1, -1, false)); err != nil {
		return err
	}
	p.next, p.bases = next, slices.Concat(p.bases, []int64{base})
	b, _ := readBatch(marker(base, -1, -1, false))
	return writeAt(filepath.Join(p.dir, strconv.FormatInt(base, 10)+".idx"), 0, appendIndex(nil, b))
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}
