package reconcile

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

const tablesYAML = `
connections:
  - { id: hs, system: hubspot, account: "62515", token: env:T, call_share: 1, base_url: %q, allow_private: true }
  - { id: wh, system: files, dsn: env:D, allow_private: true, tables: { people: { from: people.csv, id: person_id, modified: updated_at } } }
integrations:
  - id: hs-sf
    source: { system: hubspot, connection: hs }
    target: { system: files, connection: wh }
    objects:
      - name: contact
        target: people
        key: [ { source: hs_object_id, target: hubspot_id }, { source: email, target: mail, normalize: email } ]
        fields:
          - { source: email, target: mail, compare: email }
          - { source: city, target: town, compare: text }
          - { source: score, target: points, compare: number }
`

// TestATableIsASide: a CRM beside a file that somebody's job writes.
func TestATableIsASide(t *testing.T) {
	w := newWorld(t)
	var lines strings.Builder
	lines.WriteString("person_id,hubspot_id,mail,town,points,updated_at\n")
	var want []Example
	for i := range 300 {
		s, _ := w.pair(i)
		town, points, id := s.Values["city"], s.Values["score"], "X"+fmt.Sprint(i)
		differs := func(field, how string) {
			want = append(want, Example{Kind: event.ValueMismatch, SourceID: s.ID, TargetID: id, Field: field, How: how})
		}
		switch i {
		case 7:
			continue // never written
		case 11:
			town = ""
			differs("city", value.BlankInTarget)
		case 13:
			points = points[:len(points)-3]
			differs("score", value.Coerced)
		}
		fmt.Fprintf(&lines, "%s,%s,%s,%s,%s,%s\n", id, s.ID, strings.ToUpper(s.Values["email"]), town, points, time.UnixMilli(old+5).UTC().Format(time.RFC3339Nano))
	}
	want = append(want, Example{Kind: event.MissingInTarget, SourceID: w.source.Rows[7].ID})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "people.csv"), []byte(lines.String()), 0o600))
	s := httptest.NewServer(w.hs)
	t.Cleanup(s.Close)
	w.configure(fmt.Sprintf(tablesYAML, s.URL))
	r := w.role(func(o *Options) {
		o.Resolve = func(s config.Secret) ([]byte, error) {
			return []byte(map[config.Secret]string{"env:T": "token", "env:D": dir}[s]), nil
		}
	})
	res, err := r.Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	require.Equal(t, plain(want), plain(res[0].Examples))
	require.EqualValues(t, 299, res[0].Target)
}
