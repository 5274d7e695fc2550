package reconcile

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/warehouse"
)

// A person is found by an address of which only the hash is stored, goes from
// what readers keep on both sides, and is not stored again by the next reading.
func TestAnErasedPersonIsNotReadAgain(t *testing.T) {
	db := emptied(t)
	key, err := privacy.NewKey(make([]byte, 32))
	require.NoError(t, err)
	in := []config.Integration{{
		ID: "i", Tenant: "t", Source: config.Endpoint{System: "hubspot"}, Target: config.Endpoint{System: "salesforce"},
		Objects: []config.Object{{
			Name: "contact", Source: "contact", Target: config.List[string]{"Contact"},
			Key:    config.List[config.Key]{{Source: "email", Target: "Email", Normalize: "email"}},
			Fields: []config.FieldMap{{Source: "email", Target: "Email", Compare: "email"}},
		}},
	}}
	m := match.New(&in[0], &in[0].Objects[0], privacy.NewPolicy(key, in))
	read := func(side, id, object, field, address string) match.Row {
		return m.Row(side, &crm.Record{ID: id, Object: object, ModifiedAt: 1000, Fields: []event.Field{{Name: field, Value: event.Value{Text: address}}}}, 2000)
	}
	rows := []match.Row{
		read(event.Source, "1", "contact", "email", "Ann@example.com"), read(event.Target, "003A", "Contact", "Email", "ann@example.com"),
		read(event.Source, "2", "contact", "email", "bob@example.com"), read(event.Target, "003B", "Contact", "Email", "bob@example.com"),
	}
	s := store{db}
	require.NoError(t, s.put(t.Context(), m, rows))

	keys, err := db.FindSubject(t.Context(), "ann@example.com", match.SubjectHashes(key, in, "ann@example.com")...)
	require.NoError(t, err)
	require.Equal(t, []string{"i/contact/1", "i/contact/target/003A"}, keys)
	require.NoError(t, db.Erase(t.Context(), keys))
	_, err = db.FindSubject(t.Context(), "ann@example.com", match.SubjectHashes(key, in, "ann@example.com")...)
	require.ErrorIs(t, err, warehouse.ErrNobody)

	require.NoError(t, s.put(t.Context(), m, rows))
	var left []struct {
		ID string `ch:"record_id"`
	}
	require.NoError(t, db.Query(t.Context(), &left, "SELECT DISTINCT record_id FROM crm_records ORDER BY record_id"))
	require.Len(t, left, 2)
	require.Equal(t, "003B", left[0].ID)
	require.Equal(t, "2", left[1].ID)
}
