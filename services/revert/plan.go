package revert

import (
	"context"
	"fmt"
	"time"

	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/warehouse"
)

// What to do with one field or record.
const (
	Set     = "set"     // the field back to what it was
	Delete  = "delete"  // the record: the agent made it
	Restore = "restore" // the record from the bin: the agent deleted it
	Skip    = "skip"    // nothing, see Reason
)

// Step is one line of a plan.
type Step struct {
	Action    string    `json:"action"`
	Reason    string    `json:"reason,omitempty"`
	System    string    `json:"system"`
	Account   string    `json:"account,omitempty"`
	Object    string    `json:"object"`
	RecordID  string    `json:"record_id"`
	RecordKey string    `json:"record_key,omitempty"`
	Field     string    `json:"field,omitempty"`
	Now       string    `json:"now"` // what the agent left
	To        string    `json:"to"`  // what stood there before
	WrittenAt time.Time `json:"written_at"`
}

// Query names what is to be taken back.
type Query struct {
	Tenant string // "" = any
	Agent  string
	Run    string // "" = every run
	Since  time.Time
	Until  time.Time // zero = now
}

// Reader runs a query and hands over its rows.
type Reader interface {
	Each(ctx context.Context, sql string, row func(warehouse.Scan) error) error
}

// Each hands over the steps in the order of systems, objects and records.
func Each(ctx context.Context, db Reader, policy *privacy.Policy, q Query, step func(Step) error) error {
	if q.Agent == "" {
		return fmt.Errorf("name the agent, as in actor_id of plumbline.changes")
	}
	if err := records(ctx, db, q, step); err != nil {
		return err
	}
	return fields(ctx, db, policy, q, step)
}

// records are those the agent made or deleted.
func records(ctx context.Context, db Reader, q Query, step func(Step) error) error {
	sql := `
SELECT c.system, c.account, c.object, c.record_id, c.record_key, c.operation, c.changed_at, others.by
FROM (SELECT * FROM changes WHERE ` + q.where() + ` AND operation IN ('create', 'delete') LIMIT 1 BY event_id) AS c
LEFT JOIN (SELECT system, record_id, max(changed_at) AS last, argMax(concat(actor_kind, ':', actor_id), changed_at) AS by
    FROM changes WHERE NOT (` + q.who() + `) GROUP BY system, record_id) AS others
    ON others.system = c.system AND others.record_id = c.record_id AND others.last > c.changed_at
ORDER BY c.system, c.object, c.record_id, c.changed_at`
	return db.Each(ctx, sql, func(scan warehouse.Scan) error {
		var s Step
		var operation, by string
		if err := scan(&s.System, &s.Account, &s.Object, &s.RecordID, &s.RecordKey, &operation, &s.WrittenAt, &by); err != nil {
			return err
		}
		s.Action = Restore
		if operation == "create" {
			s.Action = Delete
			if by != "" {
				s.Action, s.Reason = Skip, "it made the record, and "+by+" has worked on it since"
			}
		}
		return step(s)
	})
}

// fields are those the agent wrote in records that were there before.
func fields(ctx context.Context, db Reader, policy *privacy.Policy, q Query, step func(Step) error) error {
	sql := `
WITH written AS
(
    SELECT system, any(account) AS account, any(object) AS object, record_id, any(record_key) AS record_key, field,
        min(changed_at) AS first_at, max(changed_at) AS last_at, argMax(value, (changed_at, event_id)) AS now,
        groupUniqArray(100)(value) AS own_values
    FROM (SELECT * FROM changes WHERE ` + q.where() + ` AND operation != 'delete' LIMIT 1 BY event_id)
    ARRAY JOIN mapKeys(fields) AS field, mapValues(fields) AS value
    GROUP BY system, record_id, field
),
history AS
(
    SELECT system, record_id, field, value, changed_at AS at, concat(actor_kind, ':', actor_id) AS by, (` + q.who() + `) AS own
    FROM changes ARRAY JOIN mapKeys(fields) AS field, mapValues(fields) AS value
    WHERE (system, record_id) IN (SELECT system, record_id FROM written)
    UNION ALL
    SELECT system, record_id, field, value, observed_at AS at, '' AS by, false AS own
    FROM observations ARRAY JOIN mapKeys(fields) AS field, mapValues(fields) AS value
    WHERE (system, record_id) IN (SELECT system, record_id FROM written)
),
ended AS
(
    SELECT system, record_id, argMax(operation, (changed_at, event_id)) AS last,
        argMax(concat(actor_kind, ':', actor_id), (changed_at, event_id)) AS by
    FROM changes WHERE operation IN ('create', 'delete', 'restore') AND NOT (` + q.who() + `) AND (system, record_id) IN (SELECT system, record_id FROM written)
    GROUP BY system, record_id
),
    -- What anybody else wrote last; an answer of the system counts only from before the agent came, and by
    -- clocks that differ what the agent wrote may have been read before it was written.
    (NOT h.own AND (h.by != '' AND h.at <= w.last_at OR h.at < w.first_at AND
        (h.at < w.first_at - INTERVAL 5 MINUTE OR NOT has(w.own_values, h.value)))) AS counts
SELECT w.system, w.account, w.object, w.record_id, w.record_key, w.field, w.now, w.last_at,
    countIf(counts) > 0 AS known,
    argMaxIf(h.value, h.at, counts) AS before,
    argMaxIf(h.by, h.at, h.at > w.last_at AND NOT h.own AND h.by != '') AS since_by,
    anyIf(e.by, e.last = 'delete') AS gone_by
FROM written AS w LEFT JOIN history AS h ON h.system = w.system AND h.record_id = w.record_id AND h.field = w.field
LEFT JOIN ended AS e ON e.system = w.system AND e.record_id = w.record_id
WHERE (w.system, w.record_id) NOT IN
    (SELECT system, record_id FROM changes WHERE ` + q.where() + ` AND operation = 'create')
GROUP BY ALL
ORDER BY w.system, w.object, w.record_id, w.field`
	return db.Each(ctx, sql, func(scan warehouse.Scan) error {
		var s Step
		var known bool
		var by, goneBy string
		err := scan(&s.System, &s.Account, &s.Object, &s.RecordID, &s.RecordKey, &s.Field, &s.Now, &s.WrittenAt, &known, &s.To, &by, &goneBy)
		if err != nil {
			return err
		}
		if decide(&s, policy, known, by); goneBy != "" {
			s.Action, s.Reason = Skip, "the record was deleted since by "+goneBy
		}
		return step(s)
	})
}

// decide says what to do with a field, and why not.
func decide(s *Step, policy *privacy.Policy, known bool, by string) {
	s.Action = Skip
	switch {
	case by != "":
		s.Reason = "changed since by " + by
	case !known:
		s.Reason = "what stood there before was never seen"
	case !policy.Readable(s.System, s.Object, s.Field):
		s.Reason = "stored as a hash or not at all: not restorable here"
	case s.To == s.Now:
		s.Reason = "it holds the value from before"
	default:
		s.Action = Set
	}
}

func (q Query) who() string {
	cond := "actor_kind IN ('agent', 'automation') AND actor_id = " + warehouse.Quote(q.Agent)
	if q.Run != "" {
		cond += " AND actor_run = " + warehouse.Quote(q.Run)
	}
	return cond
}

func (q Query) where() string {
	cond := q.who()
	if q.Tenant != "" {
		cond += " AND tenant = " + warehouse.Quote(q.Tenant)
	}
	if !q.Since.IsZero() {
		cond += " AND changed_at >= " + instant(q.Since)
	}
	if !q.Until.IsZero() {
		cond += " AND changed_at < " + instant(q.Until)
	}
	return cond
}

func instant(t time.Time) string {
	return fmt.Sprintf("fromUnixTimestamp64Milli(%d, 'UTC')", t.UnixMilli())
}
