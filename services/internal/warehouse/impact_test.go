package warehouse_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

type impactRow struct {
	Currency string   `ch:"currency"`
	Amount   float64  `ch:"amount"`
	Records  uint64   `ch:"records"`
	All      uint64   `ch:"all_records"`
	Fields   []string `ch:"fields"`
	Sentence string   `ch:"sentence"`
}

// Deals that differ, in money: the source's value before the target's, closed
// ones left out, currencies apart, what nobody read not known.
func TestImpactInMoney(t *testing.T) {
	k := newKPIs(t, func(c *config.Integration) {
		c.Objects = []config.Object{{
			Name: "deal", Impact: &config.Impact{Field: "amount", When: "open", Currency: "deal_currency_code"},
			Fields: []config.FieldMap{{Source: "dealname"}, {Source: "amount"}, {Source: "dealstage"}, {Source: "deal_currency_code"}},
		}, {Name: "contact"}}
	})
	differs := func(object, id, target, field, state string) {
		k.rows["divergences"] = append(k.rows["divergences"], &event.Divergence{
			ID: object + id + field, Tenant: "t", Integration: "i", Object: object, RecordKey: id, SourceID: id, TargetID: target, Field: field,
			Kind: event.ValueMismatch, State: state, FirstSeenAt: ago(time.Hour), ConfirmedAt: ago(time.Hour), UpdatedAt: ago(time.Hour), Version: 1,
		})
	}
	differs("deal", "1", "o1", "amount", event.DivergenceConfirmed)
	differs("deal", "1", "o1", "dealstage", event.DivergenceConfirmed)
	differs("deal", "2", "o2", "dealstage", event.DivergenceConfirmed)
	differs("deal", "3", "o3", "amount", event.DivergenceConfirmed) // closed
	differs("deal", "4", "o4", "amount", event.DivergenceConfirmed) // in another currency
	differs("deal", "5", "o5", "amount", event.DivergenceConfirmed) // nobody read it
	differs("deal", "6", "o6", "amount", event.DivergenceResolved)
	differs("contact", "7", "c7", "email", event.DivergenceConfirmed) // worth nothing that is named
	k.store()
	holds := func(side, id, amount, stage, currency string) {
		require.NoError(t, k.db.Exec(t.Context(), "INSERT INTO crm_records (tenant, integration, object, side, record_id, norms, version) VALUES ('t', 'i', 'deal', ?, ?, ?, 1)",
			side, id, []string{"x", amount, stage, currency}))
	}
	holds("source", "1", "400000", "negotiation/review", "usd")
	holds("target", "o1", "1", "closed won", "usd")
	holds("target", "o2", "12300.5", "prospecting", "usd")
	holds("source", "3", "9000", "closed lost", "usd")
	holds("source", "4", "500", "prospecting", "eur")
	holds("source", "6", "70", "prospecting", "usd")

	var rows []impactRow
	require.NoError(t, k.db.Query(t.Context(), &rows, "SELECT currency, amount, records, all_records, fields, sentence FROM impact ORDER BY amount DESC"))
	require.Equal(t, []impactRow{
		{"USD", 412300.5, 2, 4, []string{"amount", "dealstage"}, "412 k USD open on 2 deal records whose amount, dealstage differ; known on 3 of 4"},
		{"EUR", 500, 1, 4, []string{"amount"}, "500 EUR open on 1 deal records whose amount differs; known on 3 of 4"},
	}, rows)
}

// What is not mapped, or may not be read, is not known: that is said, too.
func TestImpactThatNobodyKnows(t *testing.T) {
	k := newKPIs(t, func(c *config.Integration) {
		c.Objects = []config.Object{{
			Name: "deal", Impact: &config.Impact{Field: "amount", Currency: "USD"}, Fields: []config.FieldMap{{Source: "amount", Policy: "hash"}},
		}}
	})
	k.rows["divergences"] = append(k.rows["divergences"], &event.Divergence{
		ID: "d", Tenant: "t", Integration: "i", Object: "deal", RecordKey: "1", SourceID: "1", Kind: event.MissingInTarget,
		State: event.DivergenceConfirmed, FirstSeenAt: ago(time.Hour), ConfirmedAt: ago(time.Hour), UpdatedAt: ago(time.Hour), Version: 1,
	})
	k.store()
	var rows []impactRow
	require.NoError(t, k.db.Query(t.Context(), &rows, "SELECT currency, amount, records, all_records, fields, sentence FROM impact"))
	require.Equal(t, []impactRow{{"", 0, 0, 1, []string{}, "the value of 1 deal records that are not on both sides is not known"}}, rows)
}
