package value

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"plumbline.dev/schemas/event"
)

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ kind, in, want string }{
		{Text, "  Acme   Corp\t", "acme corp"},
		{"", "Ünïcode", "ünïcode"},
		{"no-such-kind", " A ", "a"},
		{Exact, " A ", " A "},
		{Email, " MailTo:Ann@Example.COM ", "ann@example.com"},
		{Email, "Ann <ann@example.com>", "ann@example.com"},
		{Phone, "+1 (415) 555-0100", "14155550100"},
		{Phone, "001 415 555 0100", "14155550100"},
		{Phone, "+44 (0) 20 7946 0000", "442079460000"},
		{Phone, "415.555.0100 ext. 12", "4155550100x12"},
		{Phone, "call Ann", "call ann"},
		{Number, "1,234,567.50", "1234567.5"},
		{Number, "-0.00", "0"},
		{Number, "007", "7"},
		{Number, "$ 12", "12"},
		{Number, "-$5", "-5"},
		{Number, "1.5e3", "1500"},
		{Number, "25e-1", "2.5"},
		{Number, "9007199254740993", "9007199254740993"},
		{Number, "12,5", "12,5"},
		{Number, "1e999", "1e999"},
		{Number, "n/a", "n/a"},
		{Bool, "Yes", "true"},
		{Bool, "0", "false"},
		{Bool, "maybe", "maybe"},
		{Date, "2026-08-21T23:30:00-05:00", "2026-08-22"},
		{DateTime, "2026-08-21 23:30:00.25-05", "2026-08-22T04:30:00.250Z"},
		{Date, "1787270400000", "2026-08-21"},
		{Date, "2026/08/21", "2026-08-21"},
		{Date, "01/02/2026", "01/02/2026"},
		{DateTime, "2026-08-21T10:00:00.123456Z", "2026-08-21T10:00:00.123Z"},
		{DateTime, "2026-08-21T12:00:00+0200", "2026-08-21T10:00:00.000Z"},
		{DateTime, "2026-08-21 10:00:00", "2026-08-21T10:00:00.000Z"},
		{DateTime, "1787306400", "2026-08-21T10:00:00.000Z"},
		{DateTime, "2026-08-21", "2026-08-21T00:00:00.000Z"},
		{DateTime, "42", "42"},
		{Picklist, "Closed_Won", "closed won"},
		{Multi, "b;A; b ;", "a;b"},
		{Multi, `["B","a"]`, "a;b"},
		{Reference, "001xx000003DGb2AAG", "001xx000003DGb2"},
		{Reference, "001xx000003DGb2ZZZ", "001xx000003DGb2ZZZ"},
		{Reference, " 42 ", "42"},
	} {
		require.Equal(t, c.want, Normalize(c.kind, event.Value{Text: c.in}), "%s of %q", c.kind, c.in)
	}
	require.Empty(t, Normalize(Bool, event.Value{Kind: event.KindNull}))
	require.Equal(t, "1.5", Normalize(Text, event.Value{Kind: event.KindNumber, Text: "1.50"}), "numbers compare as numbers")
	require.Equal(t, "AB", Normalize(Text, event.Value{Kind: event.KindHash, Text: "AB"}), "hashes are kept")
}

func TestEqual(t *testing.T) {
	stages := map[string]string{"customer": "Customer", "sql": "Qualified"}
	clear := func(s string) event.Value { return event.Value{Text: s} }
	hash := func(s string, n int) event.Value { return event.Value{Kind: event.KindHash, Text: s, Len: n} }
	null := event.Value{Kind: event.KindNull}
	for _, c := range []struct {
		name, kind string
		m          map[string]string
		a, b       event.Value
		equal      bool
		difference string
	}{
		{"null is blank", Text, nil, null, clear(""), true, ""},
		{"blank in target", Text, nil, clear("x"), null, false, BlankInTarget},
		{"blank in source", Text, nil, clear(""), clear("x"), false, BlankInSource},
		{"case", Text, nil, clear("Acme "), clear("ACME"), true, ""},
		{"cut off", Text, nil, clear("Acme International Holdings"), clear("Acme Internat"), false, Truncated},
		{"punctuation", Text, nil, clear("Acme, Inc."), clear("Acme Inc"), false, FormatOnly},
		{"another", Text, nil, clear("Acme"), clear("Zenith"), false, Other},
		{"phone format", Phone, nil, clear("+1 415 555 0100"), clear("1-415-555-0100"), true, ""},
		{"phone country", Phone, nil, clear("+1 415 555 0100"), clear("415 555 0100"), false, FormatOnly},
		{"mapped", Picklist, stages, clear("customer"), clear("Customer"), true, ""},
		{"mapped by form", Picklist, stages, clear("SQL"), clear("qualified"), true, ""},
		{"fallback option", Picklist, stages, clear("sql"), clear("Other"), false, PicklistDiff},
		{"order", Multi, nil, clear("a;b"), clear("B;A"), true, ""},
		{"option lost", Multi, nil, clear("a;b"), clear("a"), false, Coerced},
		{"option changed", Multi, nil, clear("a;b"), clear("a;c"), false, PicklistDiff},
		{"multi mapped", Multi, stages, clear("sql;customer"), clear("Customer;Qualified"), true, ""},
		{"rounded", Number, nil, clear("10.567"), clear("10.57"), false, Coerced},
		{"rounded up", Number, nil, clear("10.5"), clear("11"), false, Coerced},
		{"rounded to ten", Number, nil, clear("-99.5"), clear("-100"), false, Coerced},
		{"another whole number", Number, nil, clear("4.50"), clear("9007199254740993"), false, Other},
		{"precision", Number, nil, clear("10.50"), clear("10.5"), true, ""},
		{"number", Number, nil, clear("10"), clear("12"), false, Other},
		{"time lost", DateTime, nil, clear("2026-08-21T10:00:00Z"), clear("2026-08-21"), false, Coerced},
		{"zone dropped", DateTime, nil, clear("2026-08-21T22:00:00Z"), clear("2026-08-22T03:45:00Z"), false, Coerced},
		{"another time", DateTime, nil, clear("2026-08-21T10:00:00Z"), clear("2026-08-21T10:20:00Z"), false, Other},
		{"another day", DateTime, nil, clear("2026-08-21T10:00:00Z"), clear("2026-08-22T10:00:00Z"), false, Other},
		{"currency", Number, nil, clear("100"), clear("108.31"), false, Other},
		{"zone", DateTime, nil, clear("2026-08-21T12:00:00+02:00"), clear("1787306400000"), true, ""},
		{"owner", Reference, nil, clear("005A"), clear("005B"), false, Owner},
		{"hash", Email, nil, hash("aa", 5), hash("aa", 5), true, ""},
		{"other hash", Email, nil, hash("aa", 5), hash("ab", 5), false, Other},
		{"hash cut", Text, nil, hash("aa", 300), hash("ab", 255), false, Truncated},
		{"hash and clear", Text, nil, hash("aa", 2), clear("aa"), false, Other},
		{"sealed", Text, nil, event.Value{Kind: event.KindSeal, Text: "x"}, event.Value{Kind: event.KindSeal, Text: "x"}, false, Other},
	} {
		t.Run(c.name, func(t *testing.T) {
			equal, difference := Equal(c.kind, c.m, c.a, c.b)
			require.Equal(t, c.equal, equal)
			require.Equal(t, c.difference, difference)
		})
	}
}

// messy draws text as CRMs hold it: near-numbers, near-dates, near-phones.
func messy() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[-+$]?[0-9,.]{0,14}([eE][-+]?[0-9]{1,2})?`),
		rapid.StringMatching(`\+?[0-9() .x#-]{0,20}`),
		rapid.StringMatching(`[12][0-9]{3}[-/][01][0-9][-/][0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9])?(Z|[+-][0-9]{2}:?[0-9]{2})?)?`),
		rapid.StringMatching(`\[?"?[A-Ca-c_ ;",-]{0,12}\]?`),
	)
}

func TestNormalFormsAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(Kinds).Draw(t, "kind")
		once := form(kind, messy().Draw(t, "text"))
		if twice := form(kind, once); twice != once {
			t.Fatalf("%s: %q becomes %q", kind, once, twice)
		}
	})
}

func TestEqualityIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(Kinds).Draw(t, "kind")
		kinds := rapid.SampledFrom([]string{event.KindText, event.KindNumber, event.KindNull, event.KindHash, event.KindSeal})
		a := event.Value{Kind: kinds.Draw(t, "ka"), Text: messy().Draw(t, "a")}
		b := event.Value{Kind: kinds.Draw(t, "kb"), Text: messy().Draw(t, "b")}
		if rapid.Bool().Draw(t, "same") {
			b.Text = a.Text
		}
		ab, da := Equal(kind, nil, a, b)
		ba, db := Equal(kind, nil, b, a)
		if ab != ba || ab != (da == "") || ba != (db == "") {
			t.Fatalf("%s: %+v %+v: %v %q, and back %v %q", kind, a, b, ab, da, ba, db)
		}
		if self, _ := Equal(kind, nil, a, a); !self && a.Kind != event.KindSeal {
			t.Fatalf("%s: %+v is not equal to itself", kind, a)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"", "1e64", "+1 415 555 0100 x1", "2026-08-21T10:00:00Z", "a;b;[", "İ", "1,234.5", "-", "\xff"} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, kind := range Kinds {
			n := form(kind, a)
			require.Equal(t, n, form(kind, n), "%s of %q", kind, a)
			Equal(kind, map[string]string{a: b}, event.Value{Text: a}, event.Value{Text: b})
		}
	})
}
