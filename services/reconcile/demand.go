package reconcile

import (
	"context"
	"time"

	"plumbline.dev/schemas/event"
)

const demands = "SELECT max(received_at) AS at FROM signals WHERE kind = ? AND detail[?] = ? AND integration IN (?, '') AND " +
	"system IN (?, ?) AND object IN (?) AND received_at > fromUnixTimestamp64Milli(toInt64(?))"

// demanded reports whether a source said, after a comparison began, that it
// lost changes which no single record stands for: then the plan has to wait
// no longer. One that was never compared is due anyway.
func (r *Role) demanded(ctx context.Context, s *subject, last event.Time) (bool, error) {
	if last == 0 {
		return false, nil
	}
	names := append([]string{s.Object.Name, s.Object.Source}, s.Object.Target...)
	var rows []struct {
		At time.Time `ch:"at"`
	}
	err := r.store.db.Query(ctx, &rows, demands, event.SignalSourceLossy, event.DetailCompare, event.CompareWhole, s.Integration.ID,
		s.Integration.Source.System, s.Integration.Target.System, names, int64(last))
	return err == nil && len(rows) == 1 && rows[0].At.After(time.UnixMilli(int64(last))), err
}
