package standalone

import (
	"fmt"
	"os"
	"testing"

	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/internal/kafkatest"
)

// TestMain lets the test binary be the engine's child, a broker, or a whole
// standalone process that a test may kill.
func TestMain(m *testing.M) {
	if clickhouse.IsChild(os.Args) {
		os.Exit(clickhouse.ChildMain(os.Args))
	}
	if raw := os.Getenv(childEnv); raw != "" {
		if err := runChild(raw); err != nil {
			fmt.Fprintln(os.Stderr, "standalone:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	kafkatest.Main(m)
}
