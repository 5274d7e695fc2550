package reconcile

import (
	"context"
	"fmt"
	"strings"

	"plumbline.dev/schemas/event"
)

// snapshot is both sides as the run has read them, with the key that pairs
// them, out of reach of what polls write meanwhile.
type snapshot struct{ source, target string }

func (x *run) snapshot(ctx context.Context) (*snapshot, error) {
	// Tables of a killed run of this object carry the same names.
	id := event.Hash("snapshot", x.s.name())[:16]
	snap := &snapshot{source: "compare_" + id + "_source", target: "compare_" + id + "_target"}
	if err := x.drop(ctx, snap); err != nil {
		return nil, err
	}
	keyed := "if(empty(arrayFilter(k -> k != '', keys)), '', concat(toString(arrayFirstIndex(k -> k != '', keys)), ':', arrayFirst(k -> k != '', keys)))"
	where := "FROM crm_records FINAL WHERE tenant = ? AND integration = ? AND object = ? AND side = ? AND NOT deleted AND read_at >= ?"
	args := func(side string) []any {
		return []any{x.s.Integration.Tenant, x.s.Integration.ID, x.s.Object.Name, side, x.state.StartedAt.Std()}
	}
	make := func(table, sql string, args ...any) error {
		return x.r.o.Warehouse.Exec(ctx, "CREATE TABLE "+table+" ENGINE = MergeTree ORDER BY pk AS "+sql, args...)
	}
	if err := make(snap.source, "SELECT "+keyed+" AS pk, "+storedColumns+" "+where, args(event.Source)...); err != nil {
		return nil, fmt.Errorf("stage the source: %w", err)
	}
	// A copy is paired by the first of its keys that a source record asks by.
	target := "SELECT if(m.pk = '', concat('orphan:', t.record_id), m.pk) AS pk, " + prefixed("t.", storedColumns) + " FROM (SELECT " + storedColumns + " " + where +
		") AS t LEFT JOIN (SELECT record_id, argMin(k, i) AS pk FROM (SELECT record_id, arrayJoin(arrayEnumerate(keys)) AS i, " +
		"concat(toString(i), ':', keys[i]) AS k " + where + " AND keys[i] != '') WHERE k IN (SELECT pk FROM " + snap.source +
		") GROUP BY record_id) AS m ON m.record_id = t.record_id"
	err := make(snap.target, target, append(args(event.Target), args(event.Target)...)...)
	if err != nil {
		return nil, fmt.Errorf("stage the target: %w", err)
	}
	return snap, nil
}

func prefixed(p, columns string) string {
	names := strings.Split(columns, ", ")
	for i, n := range names {
		names[i] = p + n + " AS " + n
	}
	return strings.Join(names, ", ")
}

func (x *run) drop(ctx context.Context, snap *snapshot) error {
	for _, t := range []string{snap.source, snap.target} {
		if err := x.r.o.Warehouse.Exec(ctx, "DROP TABLE IF EXISTS "+t); err != nil {
			return err
		}
	}
	return nil
}

// inScope leaves the records that are meant to be synced, of which the other
// side does not hold one that is not.
func inScope(other string) string {
	return "in_scope AND pk NOT IN (SELECT pk FROM " + other + " WHERE NOT in_scope AND pk != '')"
}
