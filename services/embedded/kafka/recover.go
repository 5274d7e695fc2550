package kafka

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"go.uber.org/zap"
)

// recovery repairs a folder that was not closed in order, before kfake opens
// it. kfake alone would forget offsets and show half of a transaction.
type recovery struct {
	dir   string
	log   *zap.Logger
	parts []*partition
	pids  map[int64]pidEntry
	redo  *intent // the commit that was cut short, if one was
}

// pidEntry is an entry of kfake's pids.log.
type pidEntry struct {
	Type  string `json:"type"`
	PID   int64  `json:"pid"`
	Epoch int16  `json:"epoch"`
	TxID  string `json:"txid,omitempty"`
}

// recoverDir may itself be killed at any point: every step finds what is left
// to do, and the producers are fenced last.
func recoverDir(dir string, log *zap.Logger) error {
	r := &recovery{dir: dir, log: log, pids: make(map[int64]pidEntry)}
	for _, step := range []func() error{
		r.scan, r.readProducers, r.findCutCommit, r.finishPartitions, r.writeOffsets, r.writeWindows, r.fence,
	} {
		if err := step(); err != nil {
			return fmt.Errorf("embedded kafka: data directory %s: %w", dir, err)
		}
	}
	return nil
}

func (r *recovery) scan() error {
	dirs, err := filepath.Glob(filepath.Join(r.dir, "partitions", "*"))
	if err != nil {
		return err
	}
	for _, d := range dirs {
		p, err := scanPartition(d)
		if err != nil {
			return err
		}
		r.parts = append(r.parts, p)
	}
	return nil
}

func (r *recovery) readProducers() error {
	entries, _, _, err := readState(filepath.Join(r.dir, "pids.log"))
	if err != nil {
		return err
	}
	for _, raw := range entries {
		var e pidEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("pids.log: %w", err)
		}
		if e.Type != "init" {
			e.TxID = r.pids[e.PID].TxID
		}
		r.pids[e.PID] = e
	}
	return nil
}

// findCutCommit tells a commit that had begun from one that had not and one
// that was done: it left a marker, and its producer still has its epoch.
func (r *recovery) findCutCommit() error {
	in, err := readIntent(r.dir)
	if err != nil || in == nil || r.pids[in.PID].Epoch != in.Epoch {
		return err
	}
	for _, p := range r.parts {
		if epoch, ok := p.committed[in.PID]; ok && epoch == in.Epoch {
			r.redo = in
		}
	}
	return nil
}

func (r *recovery) finishPartitions() error {
	var aborted, committed int
	for _, p := range r.parts {
		err := p.finish(func(pid int64, epoch int16) bool {
			commit := r.redo != nil && r.redo.PID == pid && r.redo.Epoch == epoch
			if commit {
				committed++
			} else {
				aborted++
			}
			return commit
		})
		if err != nil {
			return err
		}
	}
	r.log.Info("the broker was not stopped in order: transactions ended",
		zap.Int("markers_aborted", aborted), zap.Int("markers_committed", committed))
	return nil
}

func (r *recovery) writeOffsets() error {
	path := filepath.Join(r.dir, "groups.log")
	_, whole, size, err := readState(path)
	if err != nil {
		return err
	}
	var offsets []groupOffset
	if r.redo != nil {
		offsets = r.redo.Offsets
	}
	if len(offsets) == 0 && whole == size {
		return nil
	}
	return extendState(path, whole, offsets)
}

// writeWindows also takes away what the last orderly stop said about groups
// and transactions; kfake has no use for it any more.
func (r *recovery) writeWindows() error {
	all := seqWindows{Version: stateVersion}
	for _, p := range r.parts {
		for _, w := range p.last {
			all.Windows = append(all.Windows, w)
		}
	}
	if err := writeJSON(filepath.Join(r.dir, "seq_windows.json"), all); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(r.dir, "session_state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// fence gives every transactional producer a later epoch, so that a client
// that outlived the broker is told to start over. By two: kfake takes an end
// that is one epoch behind for the retry of one that succeeded.
func (r *recovery) fence() error {
	path := filepath.Join(r.dir, "pids.log")
	_, whole, _, err := readState(path)
	if err != nil {
		return err
	}
	var fenced []pidEntry
	for _, e := range r.pids {
		if e.TxID != "" {
			epoch := min(int32(e.Epoch)+2, math.MaxInt16-1)
			fenced = append(fenced, pidEntry{Type: "timeout", PID: e.PID, Epoch: int16(epoch)})
		}
	}
	slices.SortFunc(fenced, func(a, b pidEntry) int { return int(min(max(a.PID-b.PID, -1), 1)) })
	return extendState(path, whole, fenced)
}

// writeJSON replaces a file as a whole or not at all.
func writeJSON(path string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	next := path + ".tmp" // kfake removes what a crash leaves under this name
	if err := writeAt(next, 0, raw); err != nil {
		return err
	}
	return os.Rename(next, path)
}
