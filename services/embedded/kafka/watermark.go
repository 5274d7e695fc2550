package kafka

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kadm"
)

// watermarksName says how far every partition had got before records were
// last deleted.
const watermarksName = "watermarks.json"

// watermarks are next offsets by topic id, since a topic made anew under its
// old name rightly starts at 0.
type watermarks map[string]map[int32]int64

func readWatermarks(ctx context.Context, adm *kadm.Client) (watermarks, error) {
	topics, err := adm.ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	ends, err := adm.ListEndOffsets(ctx, topics.Names()...)
	if err != nil {
		return nil, err
	}
	w := make(watermarks, len(topics))
	for _, t := range topics {
		parts := make(map[int32]int64, len(t.Partitions))
		for p, end := range ends[t.Topic] {
			if end.Err != nil {
				return nil, end.Err
			}
			parts[p] = end.Offset
		}
		w[topicID(t.ID[:])] = parts
	}
	return w, nil
}

func topicID(id []byte) string { return hex.EncodeToString(id) }

// holdWatermarks keeps partitions that retention emptied from starting over.
// Their offsets are known from the last orderly stop or the last cleaning.
func holdWatermarks(dir string) error {
	var known watermarks
	if err := readJSON(filepath.Join(dir, watermarksName), &known); err != nil {
		return err
	}
	topics, err := topicsOnDisk(dir)
	if err != nil {
		return err
	}
	for _, t := range topics {
		for num := range t.Partitions {
			pdir := filepath.Join(dir, "partitions", fmt.Sprintf("%s-%d", url.PathEscape(t.Name), num))
			if err := holdPartition(pdir, known[topicID(t.ID)][num]); err != nil {
				return err
			}
		}
	}
	return nil
}

func holdPartition(dir string, next int64) error {
	if segments, err := filepath.Glob(filepath.Join(dir, "*.dat")); err != nil || len(segments) > 0 {
		return err
	}
	var snapshot struct {
		Next int64 `json:"high_watermark"`
	}
	if err := readJSON(filepath.Join(dir, "snapshot.json"), &snapshot); err != nil {
		return err
	}
	next = max(next, snapshot.Next)
	if next == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // kfake's own mode
		return err
	}
	p := &partition{dir: dir}
	return p.hold(next)
}

// readJSON leaves v alone when there is no such file.
func readJSON(path string, v any) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
