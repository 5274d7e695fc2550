package standalone

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/runbook"
)

// openRunbooks reads the runbooks. What is missing in them is told as a
// signal, which becomes an alert, or ends one: it refuses nothing.
func (a *App) openRunbooks() (*runbook.Book, error) {
	now := time.Now()
	book := runbook.Open(a.o.Config.Integrations, a.o.ConfigDir, now)
	if a.o.Demo != nil {
		return book, nil
	}
	p, err := a.producer("runbooks")
	if err != nil {
		return nil, err
	}
	var messages []bus.Message
	for i := range a.o.Config.Integrations {
		in := &a.o.Config.Integrations[i]
		gaps := book.Gaps(in.ID)
		s := &event.Signal{
			Integration: in.ID, Kind: event.SignalRunbookGap, StartedAt: event.At(now), ReceivedAt: event.At(now), Sender: "plumbline",
			Summary: fmt.Sprintf("%d gaps in the runbook: %s", len(gaps), strings.Join(gaps[:min(len(gaps), 3)], "; ")),
		}
		if len(gaps) == 0 {
			s.EndedAt, s.Summary = event.At(now), "the runbook has no gaps"
		}
		s.ID = event.Hash("runbook", in.ID, strings.Join(gaps, "\n"), s.StartedAt.String())
		messages = append(messages, bus.Message{Topic: topic.Intake, Key: in.ID, Time: s.ReceivedAt, Event: s})
	}
	a.stack.Go("runbooks", func(ctx context.Context) error {
		if err := p.Produce(ctx, messages...); err != nil && ctx.Err() == nil {
			a.log.Warn("gaps in the runbooks not told", zap.Error(err))
		}
		return nil
	})
	return book, nil
}
