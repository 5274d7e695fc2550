package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/warehouse"
)

// store is what the readers keep in ClickHouse for themselves.
type store struct{ db *warehouse.DB }

const insertRecords = "INSERT INTO crm_records (tenant, integration, object, side, record_id, native, keys, norms, fields, modified_at, " +
	"created_at, read_at, writer_kind, writer_id, deleted, in_scope, version)"

// put stores rows as the newest that is known of their records.
func (s store) put(ctx context.Context, m *match.Mapping, rows []match.Row) error {
	if len(rows) == 0 {
		return nil
	}
	erased, err := s.db.Erased(ctx)
	if err != nil {
		return err
	}
	return s.db.Append(ctx, insertRecords, func(add func(...any) error) error {
		for i := range rows {
			r := &rows[i]
			if len(erased) > 0 && erased[warehouse.ErasedDigest(warehouse.ReadKey(r.Side, m.Integration.ID, m.Object.Name, r.ID))] {
				continue // whatever the system still holds of a person who was removed
			}
			fields, err := json.Marshal(r.Fields)
			if err != nil {
				return err
			}
			err = add(m.Integration.Tenant, m.Integration.ID, m.Object.Name, r.Side, r.ID, r.Native, r.Keys, r.Norms, string(fields),
				r.ModifiedAt.Std(), r.CreatedAt.Std(), r.ReadAt.Std(), r.Writer.Kind, r.Writer.ID, r.Deleted, !r.OutOfScope, uint64(r.ReadAt))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// stored is a row as crm_records holds it.
type stored struct {
	Side     string    `ch:"side"`
	ID       string    `ch:"record_id"`
	Native   string    `ch:"native"`
	Keys     []string  `ch:"keys"`
	Norms    []string  `ch:"norms"`
	Fields   string    `ch:"fields"`
	Modified time.Time `ch:"modified_at"`
	Created  time.Time `ch:"created_at"`
	Read     time.Time `ch:"read_at"`
	WriterK  string    `ch:"writer_kind"`
	WriterID string    `ch:"writer_id"`
	Deleted  bool      `ch:"deleted"`
	InScope  bool      `ch:"in_scope"`
}

const storedColumns = "side, record_id, native, keys, norms, fields, modified_at, created_at, read_at, writer_kind, writer_id, deleted, in_scope"

func (s *stored) row() (match.Row, error) {
	r := match.Row{
		Side: s.Side, ID: s.ID, Native: s.Native, Keys: s.Keys, Norms: s.Norms, ModifiedAt: event.At(s.Modified), CreatedAt: event.At(s.Created),
		ReadAt: event.At(s.Read), Writer: event.Actor{Kind: s.WriterK, ID: s.WriterID}, Deleted: s.Deleted, OutOfScope: !s.InScope,
	}
	if err := json.Unmarshal([]byte(s.Fields), &r.Fields); err != nil {
		return r, fmt.Errorf("stored fields of %s: %w", s.ID, err)
	}
	return r, nil
}

const oneObject = "FROM crm_records FINAL WHERE tenant = ? AND integration = ? AND object = ? AND side = ? "

func (s store) rows(ctx context.Context, m *match.Mapping, side, where string, args ...any) ([]match.Row, error) {
	var found []stored
	args = append([]any{m.Integration.Tenant, m.Integration.ID, m.Object.Name, side}, args...)
	if err := s.db.Query(ctx, &found, "SELECT "+storedColumns+" "+oneObject+where, args...); err != nil {
		return nil, err
	}
	out := make([]match.Row, len(found))
	for i := range found {
		var err error
		if out[i], err = found[i].row(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// known is what was last seen of records.
func (s store) known(ctx context.Context, m *match.Mapping, side string, ids []string) (map[string]match.Row, error) {
	rows, err := s.rows(ctx, m, side, "AND record_id IN (?)", ids)
	out := make(map[string]match.Row, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, err
}

// byKey finds live records that hold one of the keys.
func (s store) byKey(ctx context.Context, m *match.Mapping, side string, keys []string) ([]match.Row, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	return s.rows(ctx, m, side, "AND NOT deleted AND hasAny(keys, ?)", keys)
}

// load reads a note of ours; false when there is none.
func (s store) load(ctx context.Context, name string, into any) (bool, error) {
	var rows []struct {
		Value string `ch:"value"`
	}
	if err := s.db.Query(ctx, &rows, "SELECT value FROM reader_state FINAL WHERE name = ?", name); err != nil || len(rows) == 0 || rows[0].Value == "" {
		return false, err
	}
	if err := json.Unmarshal([]byte(rows[0].Value), into); err != nil {
		return false, fmt.Errorf("state %s: %w", name, err)
	}
	return true, nil
}

// save writes a note; nil takes it back.
func (s store) save(ctx context.Context, name string, v any) error {
	text := ""
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		text = string(b)
	}
	return s.db.Append(ctx, "INSERT INTO reader_state (name, value, updated_at)", func(add func(...any) error) error {
		return add(name, text, time.Now().UTC())
	})
}

// spent are the calls of the last day, by whoever made them but this process.
func (s store) spent(ctx context.Context, system, account, instance string, now time.Time) ([]crm.Spent, error) {
	var rows []struct {
		Hour  time.Time `ch:"hour"`
		Calls uint64    `ch:"n"`
	}
	err := s.db.Query(ctx, &rows, "SELECT hour, sum(calls) AS n FROM api_calls_raw FINAL WHERE system = ? AND account = ? AND instance != ? "+
		"AND hour >= ? GROUP BY hour", system, account, instance, now.Add(-26*time.Hour).UTC())
	out := make([]crm.Spent, len(rows))
	for i, r := range rows {
		out[i] = crm.Spent{Hour: r.Hour, Calls: int64(r.Calls)}
	}
	return out, err
}

func (s store) spend(ctx context.Context, system, account, instance string, spent []crm.Spent, now time.Time) error {
	if len(spent) == 0 {
		return nil
	}
	return s.db.Append(ctx, "INSERT INTO api_calls_raw (system, account, hour, instance, lane, calls, asked, answered, daily, allowed, updated_at)",
		func(add func(...any) error) error {
			for _, x := range spent {
				if err := add(system, account, x.Hour, instance, string(x.Lane), uint64(x.Calls), uint64(x.Asked), uint64(x.Answered),
					uint64(x.Daily), uint64(x.Allowed), now.UTC()); err != nil {
					return err
				}
			}
			return nil
		})
}
