package attribute_test

import (
	"testing"

	"plumbline.dev/pipelines/attribute"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
)

func TestScenarios(t *testing.T) {
	streamtest.Run(t, streamtest.Options{
		Operator: func(*streamtest.Scenario) (stream.Operator, error) { return attribute.New(), nil },
		Format: func(s *streamtest.Scenario, o stream.Output) string {
			if o.Event.EventType() == event.TypeBreadth {
				return "" // between partitions: TestWorlds plays it
			}
			return s.Format(o)
		},
	})
}
