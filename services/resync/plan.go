package resync

import (
	"context"
	"fmt"
	"strings"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// Limits of one call, by system.
type limits struct{ read, write int }

var limitsOf = map[string]limits{"hubspot": {100, 100}, "salesforce": {2000, 200}}

func limit(system string) limits {
	if l, ok := limitsOf[system]; ok {
		return l
	}
	return limits{1, 1}
}

// What is done with the records of a batch.
const (
	Update = "update" // in the target, with what the source holds
	Create = "create"
	Delete = "delete" // in the target: the source does not hold them any more
)

// Query names the affected set: confirmed divergences of an integration.
type Query struct {
	Tenant, Integration   string // the integration is required
	Object, Field         string
	Incident, Explanation string
}

// Record is one that is to be written again.
type Record struct {
	Key      string   `json:"record_key"`
	SourceID string   `json:"source_id,omitempty"`
	TargetID string   `json:"target_id,omitempty"`
	Fields   []string `json:"fields,omitempty"` // the source's names; none = all that are mapped
}

// Batch is one call of the target's API, and the read of the source before it.
type Batch struct {
	N           int      `json:"batch"`
	Integration string   `json:"integration"`
	Object      string   `json:"object"`
	Source      string   `json:"source_system"`
	Target      string   `json:"target_system"`
	Operation   string   `json:"operation"`
	Records     []Record `json:"records"`
}

// Systems are the two ends of the integration.
type Systems struct{ Source, Target string }

// Reader runs a query and hands over its rows.
type Reader interface {
	Each(ctx context.Context, sql string, row func(warehouse.Scan) error) error
}

// Each hands over the plan's batches: by object and operation, records in order.
// Duplicates and what a person accepted are nobody's to write again.
func Each(ctx context.Context, db Reader, systems Systems, q Query, batch func(Batch) error) error {
	if q.Integration == "" {
		return fmt.Errorf("name the integration whose records are to be written again")
	}
	size := min(limit(systems.Source).read, limit(systems.Target).write)
	b := Batch{Integration: q.Integration, Source: systems.Source, Target: systems.Target}
	flush := func() error {
		if len(b.Records) == 0 {
			return nil
		}
		b.N++
		out := b
		b.Records = nil
		return batch(out)
	}
	err := db.Each(ctx, q.sql(), func(scan warehouse.Scan) error {
		var r Record
		var object, operation string
		if err := scan(&object, &operation, &r.Key, &r.SourceID, &r.TargetID, &r.Fields); err != nil {
			return err
		}
		if object != b.Object || operation != b.Operation || len(b.Records) >= size {
			if err := flush(); err != nil {
				return err
			}
			b.Object, b.Operation = object, operation
		}
		b.Records = append(b.Records, r)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func (q Query) sql() string {
	return `
SELECT object, multiIf(has(kinds, 'missing_in_target'), 'create', has(kinds, 'missing_in_source'), 'delete', 'update') AS operation, record_key, source, target,
    if(operation = 'update', arraySort(arrayDistinct(fields)), []) AS names
FROM
(
    SELECT object, record_key, groupUniqArray(kind) AS kinds, anyIf(source_id, source_id != '') AS source, anyIf(target_id, target_id != '') AS target,
        groupArrayIf(field, field != '') AS fields
    FROM divergences
    WHERE state = 'confirmed' AND kind != 'duplicate'` + q.where() + `
    GROUP BY object, record_key
)
ORDER BY object, operation, record_key`
}

func (q Query) where() string {
	var b strings.Builder
	for _, c := range []struct{ column, value string }{
		{"tenant", q.Tenant}, {"integration", q.Integration}, {"object", q.Object}, {"field", q.Field}, {"explanation_id", q.Explanation},
	} {
		if c.value != "" {
			b.WriteString(" AND " + c.column + " = " + warehouse.Quote(c.value))
		}
	}
	if q.Incident != "" {
		b.WriteString(" AND (integration, object, record_key) IN (SELECT integration, splitByChar('/', r)[1], splitByChar('#', substring(r, position(r, '/') + 1))[1] " +
			"FROM incidents ARRAY JOIN records AS r WHERE incident_id = " + warehouse.Quote(q.Incident) + ")")
	}
	return b.String()
}

// instant is a time in SQL.
func instant(t time.Time) string {
	return fmt.Sprintf("fromUnixTimestamp64Milli(%d, 'UTC')", t.UnixMilli())
}
