package warehouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
)

// Letter is a dead letter as the table holds it.
type Letter struct {
	ID         string    `ch:"dead_letter_id"`
	Tenant     string    `ch:"tenant"`
	Origin     string    `ch:"origin"`
	Code       string    `ch:"code"`
	Reason     string    `ch:"reason"`
	ReceivedAt time.Time `ch:"received_at"`
	Bytes      string    `ch:"bytes"`
	Sealed     bool      `ch:"sealed"`
	KeyID      string    `ch:"key_id"`
}

// Letters reads dead letters, the newest first: those named, or all of an
// origin (empty: any) since a time.
func (d *DB) Letters(ctx context.Context, ids []string, origin string, since time.Time, limit int) ([]Letter, error) {
	where, args := "received_at >= ?", []any{since}
	if len(ids) > 0 {
		where, args = "dead_letter_id IN ?", []any{ids}
	}
	if origin != "" {
		where += " AND origin = ?"
		args = append(args, origin)
	}
	var out []Letter
	err := d.Query(ctx, &out, "SELECT dead_letter_id, tenant, origin, code, reason, received_at, bytes, sealed, key_id FROM dead_letters WHERE "+
		where+fmt.Sprintf(" ORDER BY received_at DESC, dead_letter_id LIMIT %d", limit), args...)
	return out, err
}

// Redo stores the row that a letter of the sink is about. Its sort key is its
// event's id: done twice, or beside the row itself, it counts once.
func (d *DB) Redo(ctx context.Context, letterID, origin string, raw []byte) error {
	t := FindTable(strings.TrimPrefix(origin, "sink:"))
	if t == nil {
		return fmt.Errorf("%s names no table", origin)
	}
	ev, err := event.Decode(t.Type, raw)
	if err != nil {
		return err
	}
	if err := t.Check(ev); err != nil {
		return err
	}
	return d.Insert(ctx, Block{
		Table: t, QueryID: "plumbline-redo-" + letterID, Token: "redo-" + letterID,
		Rows: []Row{{Topic: "dead-letters", Epoch: letterID, Event: ev}},
	})
}
