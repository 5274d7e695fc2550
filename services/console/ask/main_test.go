package ask_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

func TestMain(m *testing.M) {
	code := warehousetest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
