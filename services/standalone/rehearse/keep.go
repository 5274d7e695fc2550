package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"plumbline.dev/services/evaluate"
	"plumbline.dev/services/internal/warehouse"
)

// kept are the tables written beside the truth: one record can be followed
// through them with grep. Those of states hold every version.
var kept = []string{
	"changes", "attempts", "observations", "signals", "failures", "verdicts", "deliveries_raw", "divergences_raw", "divergences",
	"incidents_raw", "alerts", "kpi_minutes", "api_calls", "reconciliations",
}

// keep writes what was got wrong, and what ClickHouse holds, into the folder.
func keep(ctx context.Context, db *warehouse.DB, dir string, misses []evaluate.Miss) error {
	if err := os.MkdirAll(filepath.Join(dir, "tables"), 0o750); err != nil {
		return err
	}
	err := writeMisses(dir, misses)
	for _, name := range kept {
		err = errors.Join(err, writeTo(filepath.Join(dir, "tables", name+".ndjson"), func(f *os.File) error {
			return db.Download(ctx, f, "SELECT * FROM "+name+" ORDER BY ALL", "JSONEachRow")
		}))
	}
	if err != nil {
		return fmt.Errorf("keep what was found: %w", err)
	}
	return nil
}

func writeTo(path string, write func(f *os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func writeMisses(dir string, misses []evaluate.Miss) error {
	return writeTo(filepath.Join(dir, "misses.ndjson"), func(f *os.File) error {
		out := json.NewEncoder(f)
		for i := range misses {
			if err := out.Encode(misses[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
