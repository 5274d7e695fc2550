package attribute_test

import (
	"testing"

	"plumbline.dev/pipelines/attribute"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
)

func TestScenarios(t *testing.T) {
	streamtest.Run(t, streamtest.Options{
		Operator: func(*streamtest.Scenario) (stream.Operator, error) { return attribute.New(), nil },
	})
}
