package privacy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

func TestMask(t *testing.T) {
	for _, tc := range []struct{ kind, in, mask string }{
		{value.Email, " Jane.Doe@Example.COM ", "J***@Example.COM"},
		{value.Email, "é@x.fr", "é***@x.fr"},
		{value.Email, "not an address", "***"},
		{value.Email, "@x", "***"},
		{value.Phone, "+1 (555) 010-9999", "***99"},
		{value.Phone, "001 555 010 9999 ext. 12", "***99"},
		{value.Phone, "911", "***"},
		{value.Phone, "Unknown", "***"},
		{"", " Exact Text ", "***"},
	} {
		require.Equal(t, tc.mask, Mask(tc.kind, tc.in), tc.in)
	}
}

func TestNameKind(t *testing.T) {
	for kind, names := range map[string][]string{
		value.Email: {"email", "Email", "work_email", "PersonEmail", "hs_additional_emails", "Backup_Email__c", "e-mail", "email2", "EMailAddress1"},
		value.Phone: {"phone", "mobilephone", "MobilePhone", "hs_calculated_phone_number", "Fax", "telephone1", "HomePhone__c", "mobile"},
		"": {
			"", "lifecyclestage", "hs_email_optout", "email_bounced", "phone_verified_at", "hubspot_owner_id",
			"salesforcecontactid", "Id", "hs_email_domain", "MailingCity", "__c",
		},
	} {
		for _, n := range names {
			require.Equal(t, kind, nameKind(n), n)
		}
	}
}

func integrations() []config.Integration {
	return []config.Integration{{
		ID: "one", Source: config.Endpoint{System: "hubspot"}, Target: config.Endpoint{System: "salesforce"},
		Objects: []config.Object{{
			Name: "person", Source: "contact", Target: []string{"Lead", "Contact"},
			Key: []config.Key{{Source: "mail_key", Target: "Ext_Key__c", Normalize: "email"}},
			Fields: []config.FieldMap{
				{Source: "work", Target: "Office__c", Compare: "phone"},
				{Source: "phone", Target: "Phone", Policy: Clear},
				{Source: "notes", Target: "Description", Policy: Drop},
				{Source: "iban", Target: "Iban__c", Policy: Seal},
				{Source: "ssn", Target: "Ssn__c", Policy: Hash},
				{Source: "stage", Target: "Stage__c"},
			},
		}},
	}, {
		ID: "two", Source: config.Endpoint{System: "hubspot"}, Target: config.Endpoint{System: "warehouse"},
		Objects: []config.Object{{
			Name: "contact", Source: "contact", Target: []string{"contacts"},
			Fields: []config.FieldMap{{Source: "iban", Target: "iban", Policy: Drop}, {Source: "stage", Target: "stage", Policy: Clear}},
		}},
	}}
}

func text(name, v string) event.Field { return event.Field{Name: name, Value: event.Value{Text: v}} }

func TestApply(t *testing.T) {
	k := testKey(t, 0)
	p := NewPolicy(k, integrations())
	got := p.Apply("acme", "salesforce", "Contact", []event.Field{
		text("Description", "private"), text("Email", "Jane@Example.com"), text("Iban__c", "DE89"), text("Id", "003000000000001AAA"),
		text("Office__c", "+1 555 010 9999"), text("Phone", "+1 555"), text("Ssn__c", "123"), text("Stage__c", "open"),
		text("Ext_Key__c", "A@b.c"),
		{Name: "HomePhone", Value: event.Value{Kind: event.KindNull}},
		text("Fax", "  "),
		{Name: "MobilePhone", Value: event.Value{Kind: event.KindNumber, Text: "15550109999"}},
	})
	want := []event.Field{
		{Name: "Email", Value: event.Value{Kind: event.KindHash, Text: k.Hash("jane@example.com"), Mask: "J***@Example.com", Len: 16}},
		{Name: "Iban__c", Value: event.Value{Kind: event.KindSeal, Text: k.SealText("acme", "DE89"), Mask: "***", Len: 4}},
		text("Id", "003000000000001AAA"),
		{Name: "Office__c", Value: event.Value{Kind: event.KindHash, Text: k.Hash("15550109999"), Mask: "***99", Len: 15}},
		text("Phone", "+1 555"),
		{Name: "Ssn__c", Value: event.Value{Kind: event.KindHash, Text: k.Hash("123"), Mask: "***", Len: 3}},
		text("Stage__c", "open"),
		{Name: "Ext_Key__c", Value: event.Value{Kind: event.KindHash, Text: k.Hash("a@b.c"), Mask: "A***@b.c", Len: 5}},
		{Name: "HomePhone", Value: event.Value{Kind: event.KindNull}},
		text("Fax", "  "),
		{Name: "MobilePhone", Value: event.Value{Kind: event.KindHash, Text: k.Hash("15550109999"), Mask: "***99", Len: 11}},
	}
	require.Equal(t, want, got)
}

func TestBothSidesHashAlike(t *testing.T) {
	p := NewPolicy(testKey(t, 0), integrations())
	a := p.Apply("acme", "hubspot", "contact", []event.Field{text("work", "+1 (555) 010-9999"), text("mail_key", "A@B.c ")})
	b := p.Apply("acme", "salesforce", "Lead", []event.Field{text("Office__c", "001-555-0109999"), text("Ext_Key__c", "a@b.c")})
	require.Equal(t, a[0].Value.Text, b[0].Value.Text)
	require.Equal(t, a[1].Value.Text, b[1].Value.Text)
}

func TestTheStricterPolicyHolds(t *testing.T) {
	p := NewPolicy(testKey(t, 0), integrations())
	require.Empty(t, p.Apply("acme", "hubspot", "contact", []event.Field{text("iban", "DE89")}), "drop beats seal")
	require.Equal(t, []event.Field{text("stage", "x")}, p.Apply("acme", "hubspot", "contact", []event.Field{text("stage", "x")}))
	require.Equal(t, "DE89", p.Apply("acme", "hubspot", "company", []event.Field{text("iban", "DE89")})[0].Value.Text, "other objects keep their own")
}

func TestApplyTwiceChangesNothing(t *testing.T) {
	p := NewPolicy(testKey(t, 0), integrations())
	once := p.Apply("acme", "hubspot", "contact", []event.Field{text("email", "a@b.c"), text("ssn", "1")})
	copied := append([]event.Field(nil), once...)
	require.Equal(t, copied, p.Apply("acme", "hubspot", "contact", once))
}

func TestMaskEmails(t *testing.T) {
	for in, want := range map[string]string{
		"":         "",
		"no one":   "no one",
		"a@":       "a@",
		"@handle":  "@handle",
		"x @ home": "x @ home",
		"Contact jane.doe@example.com already exists; b@c.d too. Existing ID: 7": "Contact j***@example.com already exists; b***@c.d too. Existing ID: 7",
		`{"email":"jane@example.com"}`:                                           `{"email":"j***@example.com"}`,
	} {
		require.Equal(t, want, MaskEmails(in))
	}
}

func BenchmarkApplyEmail(b *testing.B) {
	p := NewPolicy(testKey(b, 0), integrations())
	f := make([]event.Field, 1)
	b.ReportAllocs()
	for b.Loop() {
		f[0] = text("email", "jane.doe@example.com")
		p.Apply("acme", "hubspot", "contact", f)
	}
}
