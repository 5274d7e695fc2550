package resolve_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/resolve"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// withCanary watches the record that send changes; nothing is learned of the
// source's rhythm within a day.
func withCanary() *stream.Task {
	in := integrations()
	in[0].Source.Canary = &config.Canary{Object: "contact", Record: "101", Every: config.Duration(15 * time.Minute)}
	return stream.NewTask(resolve.New(resolve.Options{Integrations: in}), 0)
}

func TestCanaryIsMissedOnAQuietDay(t *testing.T) {
	s := newSenderOf(t, withCanary)
	s.pass(2, 0)
	require.Empty(t, s.told, "nobody has heard of it yet: it may come to another partition")
	s.pass(12, 4) // every fifteen minutes, and nothing else
	require.Empty(t, s.told)
	s.restart()
	s.pass(1, 0)
	require.Equal(t, []string{"source_quiet begins: hubspot: canary contact 101 was not heard of for 30m, and should change every 15m"}, s.told)
	s.restart()
	s.pass(3, 0)
	require.Len(t, s.told, 1, "told once, whoever goes on")
	s.send(event.Second, 0)
	require.Len(t, s.told, 2)
	require.Equal(t, "source_quiet ends: hubspot: canary contact 101 is heard of again", s.told[1])
}
