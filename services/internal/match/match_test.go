package match

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/privacy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mapping(t *testing.T) *Mapping {
	t.Helper()
	in := &config.Integration{
		ID: "hs-sf", Tenant: "default", Source: config.Endpoint{System: "hubspot"},
		Target: config.Endpoint{System: "salesforce", SyncUser: "0055f0000000001AAA"},
		Objects: []config.Object{{
			Name: "contact", Source: "contact", Target: config.List[string]{"Lead", "Contact"},
			Key: config.List[config.Key]{
				{Source: "salesforcecontactid", Target: "Id"}, {Source: "email", Target: "Email", Normalize: value.Email},
			},
			Fields: []config.FieldMap{
				{Source: "email", Target: "Email", Compare: value.Email},
				{Source: "stage", Target: "Stage__c", Compare: value.Picklist, Map: map[string]string{"customer": "Kunde"}},
				{Source: "owner", Target: "OwnerId", Compare: value.Reference, Via: "email"},
				{Source: "account", Target: "AccountName", Compare: value.Text},
				{Source: "secret", Target: "Secret__c", Compare: value.Text, Policy: "seal"},
				{Source: "gone", Target: "Gone__c", Policy: "drop"},
			},
		}},
	}
	key, err := privacy.NewKey(make([]byte, 32))
	require.NoError(t, err)
	m := New(in, &in.Objects[0], privacy.NewPolicy(key, []config.Integration{*in}))
	m.Users(event.Source, map[string]string{"51": "Ann@example.com", "52": "bob@example.com"})
	m.Users(event.Target, map[string]string{"005A": "ann@example.com", "005B": "bob@example.com"})
	return m
}

func record(id, object string, pairs ...string) *crm.Record {
	r := &crm.Record{ID: id, Object: object, ModifiedAt: 1000, Writer: event.Actor{ID: "0055f0000000001"}}
	for i := 0; i < len(pairs); i += 2 {
		r.Fields = append(r.Fields, event.Field{Name: pairs[i], Value: event.Value{Text: pairs[i+1]}})
	}
	return r
}

// TestRowsCompare across hashes, maps, users and kinds of record that lack a
// field; what the policy hides is hidden in keys and normal forms too.
func TestRowsCompare(t *testing.T) {
	m := mapping(t)
	require.Equal(t, []string{"AccountName", "Gone__c", "OwnerId", "Secret__c", "Stage__c"},
		m.Know(event.Target, "Lead", []crm.Property{{Name: "Id"}, {Name: "Email"}}))
	a := m.Row(event.Source, record("1", "contact", "email", " Ann@Example.com", "stage", "customer", "owner", "51", "account", "Acme", "secret", "x"), 2000)
	b := m.Row(event.Target, record("003", "Contact", "Email", "ann@example.com", "Stage__c", "Kunde", "OwnerId", "005A", "AccountName", "ACME ", "Secret__c", "x"), 2000)
	require.Empty(t, m.Differ(&a, &b))
	require.Equal(t, a.Keys[1], b.Keys[1])
	for _, text := range append(append([]string{}, a.Norms...), a.Keys...) {
		require.NotContains(t, text, "ann@")
		require.NotEqual(t, "x", text)
	}
	owner, _ := event.Find(b.Fields, "OwnerId")
	require.Equal(t, "51", owner.Text, "in the source's words, for whoever knows no users")
	require.Equal(t, event.ActorIntegration, b.Writer.Kind, "one id, written with 15 or 18 characters")

	lead := m.Row(event.Target, record("00Q", "Lead", "Email", "ann@example.com"), 2000)
	require.Empty(t, m.Differ(&a, &lead), "a lead has no account")

	b = m.Row(event.Target, record("003", "Contact", "Email", "bob@example.com", "Stage__c", "Other", "OwnerId", "005B", "AccountName", "Ac", "Secret__c", "y"), 2000)
	var how []string
	for _, d := range m.Differ(&a, &b) {
		how = append(how, m.Object.Fields[d.Field].Source+" "+d.How)
	}
	require.Equal(t, []string{"email other", "stage picklist", "owner owner", "account other", "secret other"}, how)
}

// TestTheFirstKeyThatIsSetPairs, and ids are one whatever their length.
func TestTheFirstKeyThatIsSetPairs(t *testing.T) {
	m := mapping(t)
	a := m.Row(event.Source, record("1", "contact", "salesforcecontactid", "0035f0000000001", "email", "ann@example.com"), 2000)
	b := m.Row(event.Target, record("0035f0000000001AAA", "Contact", "Id", "0035f0000000001AAA", "Email", "other@example.com"), 2000)
	i, k := a.Key()
	require.Zero(t, i)
	require.Equal(t, k, b.Keys[0])
	require.False(t, a.asks(1), "the second key is not asked by")
	require.True(t, b.asks(1))
	none := m.Row(event.Source, record("2", "contact"), 2000)
	i, k = none.Key()
	require.Equal(t, -1, i)
	require.Empty(t, k)
	lead := m.Row(event.Target, &crm.Record{ID: "00Q", Object: "Lead", ConvertedTo: "003"}, 2000)
	require.True(t, lead.Deleted, "a converted lead is none any more")
}

// TestWhatIntakeHears is valid, and finds its way by ids that links learn.
func TestWhatIntakeHears(t *testing.T) {
	m := mapping(t)
	row := m.Row(event.Target, record("003A", "Contact", "Email", "ann@example.com"), 2000)
	seen := Seen{By: event.FoundByReconcile, Run: "r", Now: 3000}
	messages := append(m.Orphan(&row, seen), m.Absent(event.Target, "Contact", "", "101", 2000, seen), m.Observe(&row, seen, "101", []string{"003B"}))
	for _, msg := range messages {
		require.NoError(t, msg.Event.Validate())
	}
	absent := messages[2].Event.(*event.Observation)
	require.Equal(t, "missing/101", absent.RecordID)
	require.Equal(t, "101", absent.ExternalID)
	require.Equal(t, "salesforce//Contact/missing/101", messages[2].Key)
	require.Equal(t, "orphan/003A", messages[0].Event.(*event.Observation).RecordID)
	one := m.Change(&row, event.OpUpdate, nil, seen).Event.(*event.Change)
	two := m.Change(&row, event.OpUpdate, nil, Seen{By: event.FoundByPoll, Now: 9000}).Event.(*event.Change)
	require.Equal(t, one.ID, two.ID)
}
