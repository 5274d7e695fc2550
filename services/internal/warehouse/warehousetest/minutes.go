package warehousetest

import (
	"plumbline.dev/pipelines/kpi"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/tally"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Minutes are the additions that the stages make of attempts, failures and
// deliveries, as they stand at a time, by table.
func Minutes(now event.Time, in []config.Integration, lists ...[]event.Event) map[string][]event.Event {
	counter, op := tally.New(in), kpi.New(in)
	ctx := stream.Ctx{Now: now}
	var partials, out stream.Out
	for _, list := range lists {
		for _, e := range list {
			counter.Step(ctx, "", e, &partials)
		}
	}
	counter.Tick(ctx, &partials)
	for _, o := range partials.List {
		if o.Topic == topic.Partials {
			op.Step(ctx, o.Key, o.Event, &out)
		}
	}
	ctx.Now += 2 * event.Hour
	op.Tick(ctx, &out)
	made := map[string][]event.Event{}
	for _, o := range out.List {
		switch o.Event.EventType() {
		case event.TypeKPIMinute:
			made["kpi_minutes"] = append(made["kpi_minutes"], o.Event)
		case event.TypeKPIHour:
			made["kpi_hours"] = append(made["kpi_hours"], o.Event)
		}
	}
	return made
}
