package warehouse

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
// is, those that have the native id in either system, and those that readers
// found to hold a value under one of the hashes. A copy in the target that
// nobody paired yet is named by copyKey.
func (d *DB) FindSubject(ctx context.Context, subject string, hashes ...string) ([]string, error) {
	found, err := d.strings(ctx, `SELECT DISTINCT record_key FROM (
		SELECT record_key FROM deliveries_raw WHERE record_key = ? OR source_id = ? OR target_id = ?
		UNION ALL SELECT record_key FROM changes_raw WHERE record_key = ? OR record_id = ? OR has(mapValues(fields), ?)
		UNION ALL SELECT record_key FROM observations_raw WHERE record_key = ? OR record_id = ? OR has(mapValues(fields), ?)
		UNION ALL SELECT record_key FROM attempts_raw WHERE record_key = ? OR source_id = ? OR target_id = ?
		UNION ALL SELECT record_key FROM divergences_raw WHERE record_key = ? OR source_id = ? OR target_id = ?
	) WHERE record_key != ''`, repeated(subject, 15)...)
	if err != nil {
		return nil, err
	}
	held, err := d.holders(ctx, subject, hashes)
	if err != nil {
		return nil, err
	}
	found = append(found, held...)
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNobody, subject)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// holders are the records that readers found to have the id, or to hold a
// value under one of the hashes.
func (d *DB) holders(ctx context.Context, id string, hashes []string) ([]string, error) {
	var rows []struct {
		Side        string `ch:"side"`
		Integration string `ch:"integration"`
		Object      string `ch:"object"`
		ID          string `ch:"record_id"`
	}
	where, args := "record_id = ?", []any{id}
	if len(hashes) > 0 {
		where, args = where+" OR hasAny(keys, ?) OR multiSearchAny(fields, ?)", append(args, hashes, hashes)
	}
	if err := d.Query(ctx, &rows, "SELECT DISTINCT toString(side) AS side, toString(integration) AS integration, toString(object) AS object, record_id "+
		"FROM crm_records WHERE "+where, args...); err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		if r.Side == event.Source {
			out = append(out, r.Integration+"/"+r.Object+"/"+r.ID)
			continue
		}
		paired, err := d.strings(ctx, `SELECT DISTINCT record_key FROM (
			SELECT record_key FROM deliveries_raw WHERE integration = ? AND target_id = ?
			UNION ALL SELECT record_key FROM divergences_raw WHERE integration = ? AND target_id = ?) WHERE record_key != ''`,
			r.Integration, r.ID, r.Integration, r.ID)
		if err != nil {
			return nil, err
		}
		if len(paired) == 0 {
			paired = []string{copyKey(r.Integration, r.Object, r.ID)}
		}
		out = append(out, paired...)
	}
	return out, nil
}

// copyKey names a record of the target by its own id.
func copyKey(integration, object, id string) string {
	return integration + "/" + object + "/target/" + id
}

// ReadKey is what the list of erasures calls a record that a reader read.
func ReadKey(side, integration, object, id string) string {
	if side == event.Source {
		return integration + "/" + object + "/" + id
	}
	return copyKey(integration, object, id)
}

// Erase removes records for good: first they go on the list, so that no row of
// them is stored again, then their rows go from every table, also from disk.
func (d *DB) Erase(ctx context.Context, keys []string) error {
	copies, err := d.copies(ctx, keys)
	if err != nil {
		return err
	}
	all := append(slices.Clone(keys), copies...)
	digests := make([]string, len(all))
	for i, k := range all {
		digests[i] = ErasedDigest(k)
	}
	if err := d.Exec(ctx, "INSERT INTO erasures_raw (digest, erased_at) SELECT arrayJoin(?), now64(3)", digests); err != nil {
		return err
	}
	tables, err := d.strings(ctx, "SELECT DISTINCT c.table FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table "+
		"WHERE c.database = ? AND c.name = 'record_key' AND t.engine LIKE '%MergeTree' ORDER BY c.table", d.database)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := d.Exec(ctx, "ALTER TABLE `"+t+"`"+d.onCluster()+" DELETE WHERE record_key IN ? SETTINGS mutations_sync = 2", keys); err != nil {
			return fmt.Errorf("erase from %s: %w", t, err)
		}
	}
	if err := d.Exec(ctx, "ALTER TABLE "+d.local("crm_records")+" DELETE WHERE concat(integration, '/', object, if(side = 'target', '/target/', '/'), record_id) IN ? "+
		"SETTINGS mutations_sync = 2", all); err != nil {
		return fmt.Errorf("erase from crm_records: %w", err)
	}
	return d.Exec(ctx, "ALTER TABLE "+d.local("incidents_raw")+" UPDATE records = arrayFilter(r -> r NOT IN ?, records) WHERE hasAny(records, ?) SETTINGS mutations_sync = 2",
		keys, keys)
}

// copies are the records of the target that belong to canonical ones.
func (d *DB) copies(ctx context.Context, keys []string) ([]string, error) {
	return d.strings(ctx, `SELECT DISTINCT concat(integration, '/', object, '/target/', target_id) FROM (
		SELECT integration, object, target_id FROM deliveries_raw WHERE record_key IN ?
		UNION ALL SELECT integration, object, target_id FROM divergences_raw WHERE record_key IN ?) WHERE target_id != ''`, keys, keys)
}

// strings reads a query of one text column.
func (d *DB) strings(ctx context.Context, sql string, args ...any) ([]string, error) {
	var rows []struct {
		Text string `ch:"text"`
	}
	if err := d.Query(ctx, &rows, "SELECT toString(x.1) AS text FROM (SELECT tuple(*) AS x FROM ("+sql+"))", args...); err != nil {
		return nil, err
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Text
	}
	return out, nil
}

func repeated(s string, n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = s
	}
	return out
}

// local is the table that holds rows itself, on every server.
func (d *DB) local(table string) string {
	if d.cluster != "" {
		table += "_local"
	}
	return table + d.onCluster()
}

func (d *DB) onCluster() string {
	if d.cluster == "" {
		return ""
	}
	return " ON CLUSTER `" + d.cluster + "`"
}
