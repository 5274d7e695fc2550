package schemas_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The contracts are what every other module and other people's programs
// import: a client or a driver here would reach all of them. GOWORK=off,
// because in the workspace a module may import what its go.mod does not name.
func TestSchemasImportOnlyStdAndTheCodec(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./...")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	require.NoError(t, err)
	for path := range strings.FieldsSeq(string(out)) {
		ok := false
		for _, allowed := range []string{"plumbline.dev/schemas", "github.com/tinylib/msgp/msgp", "github.com/philhofer/fwd"} {
			ok = ok || strings.HasPrefix(path, allowed)
		}
		require.True(t, ok, "schemas must not need %s: they are words, not clients", path)
	}
	require.Contains(t, string(out), "plumbline.dev/schemas/event", "the list is not empty")
}
