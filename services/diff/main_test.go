package diff_test

import (
	"os"
	"testing"

	"plumbline.dev/services/internal/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(warehousetest.Main(m)) }
