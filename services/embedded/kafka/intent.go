package kafka

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// intentName holds the commit that was last begun.
const intentName = "commit.intent"

// intent is a commit that kfake is about to carry out. It writes one marker
// per partition and then one entry per offset, and a crash in between would
// leave a part of them. The markers tell what was meant, the offsets only
// exist in memory: they are what the intent saves.
type intent struct {
	PID     int64         `json:"pid"`
	Epoch   int16         `json:"epoch"`
	Offsets []groupOffset `json:"offsets"`
}

// groupOffset is an entry of kfake's groups.log.
type groupOffset struct {
	Type     string  `json:"type"`
	Group    string  `json:"g"`
	Topic    string  `json:"t"`
	Part     int32   `json:"p"`
	Offset   int64   `json:"o"`
	Epoch    int32   `json:"e"`
	Metadata *string `json:"m,omitempty"`
	At       int64   `json:"lc"`
}

type offsetKey struct {
	group, topic string
	part         int32
}

// intents watches transactions on the broker's own goroutine, the one that
// runs every request, so it needs no lock.
type intents struct {
	file    *os.File
	pending map[int64]*pendingTxn // by producer id
	log     *zap.Logger
}

type pendingTxn struct {
	epoch   int16
	offsets map[offsetKey]groupOffset
}

func watchIntents(dir string, cluster *kfake.Cluster, log *zap.Logger) (*intents, error) {
	f, err := os.OpenFile(filepath.Join(dir, intentName), os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("embedded kafka: data directory: %w", err)
	}
	in := &intents{file: f, pending: make(map[int64]*pendingTxn), log: log}
	cluster.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Count: -1, Observe: true, When: in.onOffsets},
		// Not an observer: a commit whose intent cannot be written is refused.
		kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Count: -1, Err: kerr.CoordinatorNotAvailable, When: in.refuseEnd},
	)
	return in, nil
}

func (in *intents) close() error { return in.file.Close() }

// onOffsets may see one request several times and one that kfake refuses; a
// producer whose offsets were refused does not go on to commit.
func (in *intents) onOffsets(r kmsg.Request) bool {
	req, ok := r.(*kmsg.TxnOffsetCommitRequest)
	if !ok {
		return false
	}
	txn := in.pending[req.ProducerID]
	if txn == nil || txn.epoch != req.ProducerEpoch {
		txn = &pendingTxn{epoch: req.ProducerEpoch, offsets: make(map[offsetKey]groupOffset)}
		in.pending[req.ProducerID] = txn
	}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			txn.offsets[offsetKey{req.Group, t.Topic, p.Partition}] = groupOffset{
				Type: "commit", Group: req.Group, Topic: t.Topic, Part: p.Partition,
				Offset: p.Offset, Epoch: p.LeaderEpoch, Metadata: p.Metadata,
			}
		}
	}
	return true
}

// epochPerTxn is the first EndTxn that ends a transaction's epoch with it.
// Older clients use one epoch for many, and it would not tell them apart.
const epochPerTxn = 5

// refuseEnd writes the intent of a commit, and tells whether it could not.
func (in *intents) refuseEnd(r kmsg.Request) bool {
	req, ok := r.(*kmsg.EndTxnRequest)
	if !ok || req.Version < epochPerTxn {
		return false
	}
	txn := in.pending[req.ProducerID]
	if req.Commit {
		if err := in.write(req, txn); err != nil {
			in.log.Error("commit refused: its intent could not be written", zap.Error(err))
			return true
		}
	}
	// A retry of this very request finds its transaction already ended.
	delete(in.pending, req.ProducerID)
	return false
}

func (in *intents) write(req *kmsg.EndTxnRequest, txn *pendingTxn) error {
	i := intent{PID: req.ProducerID, Epoch: req.ProducerEpoch}
	if txn != nil && txn.epoch == req.ProducerEpoch {
		now := time.Now().UnixMilli()
		for _, o := range txn.offsets {
			o.At = now
			i.Offsets = append(i.Offsets, o)
		}
	}
	raw, err := frame(i)
	if err != nil {
		return err
	}
	// Overwritten in place: a torn one fails its checksum, and no marker of
	// its transaction was written yet.
	if _, err := in.file.WriteAt(raw, 0); err != nil {
		return err
	}
	return in.file.Sync()
}

// readIntent returns nil when no commit was ever begun or its intent is torn.
func readIntent(dir string) (*intent, error) {
	raw, err := os.ReadFile(filepath.Join(dir, intentName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	body := nextFrame(raw)
	if body == nil {
		return nil, nil
	}
	var i intent
	if err := json.Unmarshal(body[2:], &i); err != nil {
		return nil, fmt.Errorf("%s: %w", intentName, err)
	}
	return &i, nil
}
