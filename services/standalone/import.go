package standalone

import (
	"context"
	"errors"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

const importBatch = 500

// Import writes attempts of the past into a running log.
func Import(ctx context.Context, o Options, in *config.Integration, attempts []*event.Attempt) error {
	o.Roles, o.Migrate = nil, false
	if o.Config.Kafka.IsEmbedded() && !answers(o.Config.Listen.Kafka) {
		return errors.New("no running plumbline found: start `plumbline up` first")
	}
	a, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer a.Stop() //nolint:errcheck // what was written is durable
	p, err := a.producer("import")
	if err != nil {
		return err
	}
	for len(attempts) > 0 {
		part := attempts[:min(importBatch, len(attempts))]
		attempts = attempts[len(part):]
		messages := make([]bus.Message, len(part))
		for i, at := range part {
			messages[i] = bus.Message{
				Topic: topic.Intake, Key: sourceKey(in, at), Time: at.ReceivedAt, Event: at,
			}
		}
		if err := p.Produce(ctx, messages...); err != nil {
			return err
		}
	}
	return nil
}

// sourceKey is where everything about the source record goes, as ingest has it.
func sourceKey(in *config.Integration, a *event.Attempt) string {
	native := a.Object
	for i := range in.Objects {
		if in.Objects[i].Name == a.Object {
			native = in.Objects[i].Source
		}
	}
	return event.NativeKey(in.Source.System, in.Source.Account, native, a.SourceID)
}
