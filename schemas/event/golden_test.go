package event

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The bytes are contracts: other people's programs read them, and yesterday's
// records are read by tomorrow's binary. A diff in these files is either a
// field added, or a mistake.
func TestGoldenBytes(t *testing.T) {
	for _, typ := range types {
		t.Run(string(typ), func(t *testing.T) {
			got := page(t, "every field", full(typ)) + page(t, "no field", New(typ))
			file := filepath.Join("testdata", string(typ)+".golden")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "run go test -update and review the file")
			require.Equal(t, string(want), got)
		})
	}
}

// page shows a message twice: as a person reads it and as it travels.
func page(t *testing.T, title string, e Event) string {
	t.Helper()
	b, err := Encode(nil, e)
	require.NoError(t, err)
	var text bytes.Buffer
	if b[0] == '{' { // JSON already: no MessagePack map starts so
		text.Write(b)
	} else {
		_, err = msgp.UnmarshalAsJSON(&text, b)
		require.NoError(t, err)
	}
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, text.Bytes(), "", "  "))
	dump := hex.EncodeToString(b)
	var lines strings.Builder
	for len(dump) > 0 {
		n := min(96, len(dump))
		lines.WriteString(dump[:n] + "\n")
		dump = dump[n:]
	}
	return fmt.Sprintf("---- %s, %d bytes\n%s\n\n%s", title, len(b), pretty.String(), lines.String())
}

// What an earlier version wrote is read field by field as it was meant.
func TestGoldenBytesDecode(t *testing.T) {
	for _, typ := range types {
		t.Run(string(typ), func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", string(typ)+".golden"))
			require.NoError(t, err)
			pages := strings.Split(string(file), "---- ")[1:]
			require.Len(t, pages, 2)
			for i, want := range []Event{full(typ), New(typ)} {
				_, dump, ok := strings.Cut(pages[i], "\n\n")
				require.True(t, ok)
				b, err := hex.DecodeString(strings.ReplaceAll(dump, "\n", ""))
				require.NoError(t, err)
				got, err := Decode(typ, b)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

func TestEveryTypeHasBytesOrIsNamedAsLater(t *testing.T) {
	for _, typ := range types {
		require.Equal(t, typ, New(typ).EventType())
	}
	for _, typ := range later {
		require.Nil(t, New(typ), "%s exists now: move it to types, so that its bytes are held", typ)
	}
	require.Nil(t, New("no such type"))
}
