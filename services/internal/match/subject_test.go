package match

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// A person is found by the address as they say it: it is stored under the hash
// of its normal form, as a key and as a value.
func TestSubjectHashes(t *testing.T) {
	m := mapping(t)
	hashes := SubjectHashes(m.policy.Key(), []config.Integration{*m.Integration}, "ANN@example.com ")
	row := m.Row(event.Source, record("1", "contact", "email", " Ann@Example.com"), 2000)
	require.Contains(t, hashes, row.Keys[1])
	stored, _ := event.Find(row.Fields, "email")
	require.Contains(t, hashes, stored.Text)
	other := SubjectHashes(m.policy.Key(), []config.Integration{*m.Integration}, "bob@example.com")
	require.NotContains(t, other, row.Keys[1])
	require.Empty(t, SubjectHashes(m.policy.Key(), nil, " "))
}
