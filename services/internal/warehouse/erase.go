package warehouse

import (
	"context"
	"errors"
	"fmt"

	"plumbline.dev/schemas/event"
)

// RecordKey is the canonical record a row is about, or empty.
func (t *Table) RecordKey(ev event.Event) string {
	for i := range t.columns {
		if c := &t.columns[i]; c.name == "record_key" && c.text != nil {
			return c.text(ev)
		}
	}
	return ""
}

// ErasedDigest is how the list names a record: it must not tell who was removed.
func ErasedDigest(recordKey string) string { return event.Hash("erased", recordKey) }

// Erased reads the list of removed records, as digests.
func (d *DB) Erased(ctx context.Context) (map[string]bool, error) {
	var rows []struct {
		Digest string `ch:"digest"`
	}
	if err := d.Query(ctx, &rows, "SELECT digest FROM erasures_raw"); err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(rows))
	for _, r := range rows {
		out[r.Digest] = true
	}
	return out, nil
}

// ErrNobody says that a subject is not there.
var ErrNobody = errors.New("no record with this key or id")

// FindSubject returns the canonical records of a person: those whose key it
// is, and those that have the native id in either system.
func (d *DB) FindSubject(ctx context.Context, subject string) ([]string, error) {
	var rows []struct {
		Key string `ch:"record_key"`
	}
	err := d.Query(ctx, &rows, `SELECT DISTINCT record_key FROM (
		SELECT record_key FROM deliveries_raw WHERE record_key = ? OR source_id = ? OR target_id = ?
		UNION ALL SELECT record_key FROM changes_raw WHERE record_key = ? OR record_id = ?
		UNION ALL SELECT record_key FROM observations_raw WHERE record_key = ? OR record_id = ?
		UNION ALL SELECT record_key FROM attempts_raw WHERE record_key = ? OR source_id = ? OR target_id = ?
		UNION ALL SELECT record_key FROM divergences_raw WHERE record_key = ? OR source_id = ? OR target_id = ?
	) WHERE record_key != '' ORDER BY record_key`,
		subject, subject, subject, subject, subject, subject, subject, subject, subject, subject, subject, subject, subject)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNobody, subject)
	}
	out := make([]string, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.Key)
	}
	return out, nil
}

// Erase removes records for good: first they go on the list, so that no row of
// them is stored again, then their rows go from every table, also from disk.
func (d *DB) Erase(ctx context.Context, keys []string) error {
	digests := make([]string, len(keys))
	for i, k := range keys {
		digests[i] = ErasedDigest(k)
	}
	if err := d.Exec(ctx, "INSERT INTO erasures_raw (digest, erased_at) SELECT arrayJoin(?), now64(3)", digests); err != nil {
		return err
	}
	var tables []struct {
		Name string `ch:"table"`
	}
	err := d.Query(ctx, &tables, "SELECT DISTINCT c.table AS table FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table "+
		"WHERE c.database = ? AND c.name = 'record_key' AND t.engine LIKE '%MergeTree' ORDER BY table", d.database)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := d.Exec(ctx, "ALTER TABLE `"+t.Name+"`"+d.onCluster()+" DELETE WHERE record_key IN ? SETTINGS mutations_sync = 2", keys); err != nil {
			return fmt.Errorf("erase from %s: %w", t.Name, err)
		}
	}
	local := "incidents_raw"
	if d.cluster != "" {
		local += "_local"
	}
	return d.Exec(ctx, "ALTER TABLE "+local+d.onCluster()+" UPDATE records = arrayFilter(r -> r NOT IN ?, records) WHERE hasAny(records, ?) SETTINGS mutations_sync = 2",
		keys, keys)
}

func (d *DB) onCluster() string {
	if d.cluster == "" {
		return ""
	}
	return " ON CLUSTER `" + d.cluster + "`"
}
