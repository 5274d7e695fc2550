package soql

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixMilli()

var record = map[string]string{
	"Name": "O'Neill, \"Ann\"", "Amount": "1200.50", "CloseDate": "2026-03-01", "LastModifiedDate": "2026-03-02T08:00:00.000+0000",
	"IsDeleted": "false", "Empty": "",
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{
		`Name = 'o\'neill, "ann"'`:                        true,
		"Name LIKE 'O_Neill%'":                            true,
		"Name LIKE 'Neill%'":                              false,
		"Amount > 999 AND Amount <= 1200.5":               true,
		"Amount > 1e4":                                    false,
		"Amount IN (1, 1200.5)":                           true,
		"Amount NOT IN (1, 2)":                            true,
		"Empty = null":                                    true,
		"Empty != 'x'":                                    true,
		"Empty > 'a'":                                     false,
		"Empty <> null":                                   false,
		"CloseDate = YESTERDAY":                           true,
		"CloseDate >= LAST_N_DAYS:1":                      true,
		"CloseDate < 2026-03-01":                          false,
		"LastModifiedDate > 2026-03-02T08:30:00+01:00":    true,
		"LastModifiedDate >= 2026-03-02T08:00:01Z":        false,
		"IsDeleted = false":                               true,
		"Amount = 1 OR Amount = 2 AND Name = 'x'":         false,
		"(Amount = 1 OR Empty = null) AND NOT Amount = 2": true,
	} {
		q, err := Parse("SELECT Id FROM X WHERE "+text, now)
		require.NoError(t, err, text)
		require.Equal(t, want, q.Where.Match(func(f string) string { return record[f] }), text)
	}
}

func TestShape(t *testing.T) {
	q, err := Parse("select Id,Name from Contact order by Name desc nulls last, Id limit 5 offset 2", now)
	require.NoError(t, err)
	require.Equal(t, &Query{
		Fields: []string{"Id", "Name"}, From: "Contact", Limit: 5, Offset: 2, Order: []Order{{"Name", true, true}, {Field: "Id"}},
	}, q)
	q, err = Parse("SELECT COUNT() FROM Contact", now)
	require.NoError(t, err)
	require.True(t, q.Count)
	require.Equal(t, -1, q.Limit)
}

func TestOrder(t *testing.T) {
	q, err := Parse("SELECT Id FROM X ORDER BY N DESC NULLS LAST", now)
	require.NoError(t, err)
	get := func(v string) func(string) string { return func(string) string { return v } }
	require.Negative(t, q.Less(get("10"), get("9")), "numbers are no text")
	require.Positive(t, q.Less(get(""), get("9")))
	require.Zero(t, q.Less(get("9"), get("9")))
}

func TestMalformed(t *testing.T) {
	for _, text := range []string{
		"", "SELECT", "SELECT Id", "SELECT Id FROM", "SELECT Id FROM X WHERE", "SELECT Id FROM X WHERE A", "SELECT Id FROM X WHERE A = ",
		"SELECT Id FROM X WHERE A = 'b", "SELECT Id FROM X WHERE A IN ()", "SELECT Id FROM X WHERE (A = 1", "SELECT Id FROM X LIMIT -1",
		"SELECT Id FROM X more", "SELECT Id FROM X WHERE A = b", "SELECT Id FROM X WHERE " + strings.Repeat("(", 99) + "A = 1",
	} {
		_, err := Parse(text, now)
		var e *Error
		require.ErrorAs(t, err, &e, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("SELECT Id, FIELDS(ALL) FROM X WHERE A LIKE '%_' AND NOT (B IN (1, null)) ORDER BY C LIMIT 3")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text, now)
		if err == nil {
			q.Where.Match(func(string) string { return "v" })
			require.NotEmpty(t, q.From)
		}
	})
}
