package reconcile

import (
	"context"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/internal/crm"
)

const (
	pollPart = 0.5 // of our budget, for polling as planned; the rest is for busy hours and everything else
	day      = 24 * time.Hour
)

// price says what polling costs before it starts, and polls less often where
// the budget would not bear it.
func (r *Role) price(ctx context.Context, rounds []*round) error {
	byAccount := map[*account][]*round{}
	for _, x := range rounds {
		byAccount[x.a] = append(byAccount[x.a], x)
	}
	for a, mine := range byAccount {
		if _, err := a.reader.Account(crm.In(ctx, crm.LaneProbe)); err != nil {
			return err
		}
		planned := perDay(mine)
		allowed := a.budget.Allowed()
		if limit := float64(allowed) * pollPart; planned > limit {
			stretch := planned / max(limit, 1)
			for _, x := range mine {
				x.slow(stretch)
			}
			r.log.Warn("polling less often than asked: the budget does not bear it", zap.String("connection", a.conn.ID),
				zap.Float64("calls_a_day_asked", planned), zap.Int64("calls_a_day_allowed", allowed), zap.Duration("now_every", mine[0].every))
		}
		var objects []string
		for _, x := range mine {
			for _, p := range x.polls {
				objects = append(objects, p.native)
			}
		}
		r.log.Info("polling", zap.String("connection", a.conn.ID), zap.String("system", a.conn.System), zap.Strings("objects", objects),
			zap.Duration("every", mine[0].every), zap.Float64("calls_a_day", perDay(mine)), zap.Int64("calls_a_day_allowed", allowed),
			zap.Int64("account_calls_a_day", a.budget.Daily()), zap.Float64("call_share", a.conn.CallShare))
	}
	return nil
}

// slow makes a round rarer, and its polls less exact.
func (x *round) slow(by float64) {
	x.every = min(time.Duration(float64(x.every)*by).Round(time.Second), day)
	for _, p := range x.polls {
		p.every = x.every
	}
}

// perDay is the least that rounds cost: a call each, when little changes.
func perDay(rounds []*round) float64 {
	n := 0.0
	for _, x := range rounds {
		n += float64(day) / float64(x.every)
	}
	return n
}
