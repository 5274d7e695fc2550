package notify

import (
	"context"
	"time"

	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"plumbline.dev/schemas/event"
)

// mutedUntil is how long nobody is told of an alert: until its silence ends,
// or, when somebody took it, until it is over.
func mutedUntil(a *event.Alert, now time.Time) time.Time {
	var until time.Time
	switch {
	case a.Status == event.AlertResolved:
		return until
	case a.AcknowledgedBy != "":
		until = now.Add(365 * 24 * time.Hour)
	case a.SilencedUntil != 0:
		until = event.Time(a.SilencedUntil).Std()
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// mute brings Alertmanager's silences in line with what people clicked.
func (s *speaker) mute(ctx context.Context, a *event.Alert, now time.Time) error {
	until := mutedUntil(a, now)
	found, _, err := s.silences.Query(ctx, silence.QState(silence.SilenceStateActive))
	if err != nil {
		return err
	}
	for _, x := range found {
		if x.CreatedBy != createdBy || x.Comment != a.ID {
			continue
		}
		if !until.IsZero() {
			return nil // stands already
		}
		if err := s.silences.Expire(ctx, x.Id); err != nil {
			return err
		}
	}
	if until.IsZero() {
		return nil
	}
	return s.silences.Set(ctx, &silencepb.Silence{
		MatcherSets: []*silencepb.MatcherSet{{Matchers: []*silencepb.Matcher{{
			Type: silencepb.Matcher_EQUAL, Name: "alert_id", Pattern: a.ID,
		}}}},
		StartsAt: timestamppb.New(now), EndsAt: timestamppb.New(until), CreatedBy: createdBy, Comment: a.ID,
	})
}

const createdBy = "plumbline"
