package sink

import (
	"encoding/json"
	"fmt"

	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// maxMetadata is what a broker keeps next to an offset.
const maxMetadata = 4096

// note is the metadata of a committed offset. With Batch set it is an intent:
// the offsets From to To were about to be inserted, and may have been. Without,
// everything below the offset is done. It always names the topic's id, or a
// re-created topic would be taken for the one the offsets belong to.
type note struct {
	V       int              `json:"v"`
	Epoch   string           `json:"e"`
	Batch   string           `json:"batch,omitempty"`
	Gen     int              `json:"g,omitempty"`
	From    int64            `json:"a,omitempty"`
	To      int64            `json:"b,omitempty"`
	N       int              `json:"n,omitempty"`    // records read in From..To
	Sum     uint32           `json:"crc,omitempty"`  // of their bytes
	Rows    map[string]int   `json:"t,omitempty"`    // rows for each table
	Encoder int              `json:"enc,omitempty"`  // version of the mapping to rows
	Last    map[string]int64 `json:"last,omitempty"` // newest offset of each table, below From
}

const noteVersion = 1

func (n *note) open() bool { return n.Batch != "" }

func (n *note) encode() (string, error) {
	n.V = noteVersion
	b, err := json.Marshal(n)
	if err != nil {
		return "", err
	}
	if len(b) > maxMetadata {
		return "", fmt.Errorf("an intent of %d bytes does not fit into the %d a broker keeps", len(b), maxMetadata)
	}
	return string(b), nil
}

// readNote reads a committed position. Metadata that is not ours says nothing
// about an insert in flight, so nobody may guess.
func readNote(p bus.Position) (note, error) {
	if p.Offset < 0 {
		return note{}, nil
	}
	var n note
	if p.Metadata == "" {
		return n, nil
	}
	if err := json.Unmarshal([]byte(p.Metadata), &n); err != nil {
		return n, fmt.Errorf("metadata %.80q at offset %d is not the sink's: is the group used by another program?", p.Metadata, p.Offset)
	}
	if n.V > noteVersion {
		return n, fmt.Errorf("metadata at offset %d has version %d, this program knows %d: start the newer version",
			p.Offset, n.V, noteVersion)
	}
	if n.open() && n.From != p.Offset {
		return n, fmt.Errorf("intent from %d stands at offset %d: somebody reset the group; reset it without metadata", n.From, p.Offset)
	}
	return n, nil
}

// sameEncoder tells whether the rows counted in an intent can be compared.
func (n *note) sameEncoder() bool { return n.Encoder == warehouse.EncoderVersion }
