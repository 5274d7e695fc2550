package ask_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/console/ask"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

var (
	limits = warehouse.Limits{Time: 20 * time.Second, Rows: 1000, Memory: 1 << 30}
	now    = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
)

// forms are ClickHouse's types of each kind.
var forms = map[ask.Kind]string{
	ask.Text: `String`, ask.Word: `String`, ask.Key: `String`, ask.URL: `String`,
	ask.Count: `^(Nullable\()?U?Int(8|16|32|64)`, ask.Ratio: `Float64`, ask.Num: `Float64|Int`, ask.Ms: `Float64|Int`,
	ask.Time: `DateTime64`, ask.Flag: `Bool|UInt8`, ask.List: `^Array\(`, ask.Pairs: `^Map\(`,
}

func params(q *ask.Question) ask.Params {
	p := ask.Params{
		Values: map[string]string{}, From: now.Add(-24 * time.Hour), To: now, Now: now, Limit: 10,
		Lists: map[string][]string{"source_fields": {"email"}, "target_fields": {"Email"}},
	}
	for _, need := range q.Needs {
		p.Values[need] = `it's \ {a} ?`
	}
	return p
}

// Every file is a statement that runs on an empty database, plainly and with
// each of its filters, and answers the columns it promises.
func TestEveryQuestionRuns(t *testing.T) {
	db := warehousetest.New(t)
	for _, name := range ask.Names() {
		q := ask.All[name]
		t.Run(name, func(t *testing.T) {
			p := params(q)
			_, err := ask.Ask(t.Context(), db, limits, name, p)
			require.NoError(t, err)
			for _, f := range q.Filters {
				p.Values[f.Name] = "it's"
				if len(f.Choices) > 0 {
					p.Values[f.Name] = f.Choices[0]
				}
			}
			a, err := ask.Ask(t.Context(), db, limits, name, p)
			require.NoError(t, err)
			_, columns, err := db.Table(t.Context(), limits, "DESCRIBE TABLE ("+a.SQL+")")
			require.NoError(t, err)
			types := map[string]string{}
			for _, c := range columns {
				types[c[0].(string)] = c[1].(string)
			}
			for _, c := range q.Columns {
				require.Regexp(t, forms[c.Kind], types[c.Name], "%s is a %s", c.Name, c.Kind)
			}
		})
	}
}

// A link leads to a page or question that knows its parameters, with columns
// that the answer has.
func TestLinksLeadSomewhere(t *testing.T) {
	pages := map[string][]string{
		"/record": {"record_key"}, "/integration": {"integration"}, "/incident": {"incident_id"}, "/agent": {"agent"}, "/letter": {"dead_letter_id"},
	}
	for _, name := range ask.Names() {
		q := ask.All[name]
		for _, c := range q.Columns {
			if c.Link == "" {
				continue
			}
			path, query, _ := strings.Cut(c.Link, "?")
			known := pages[path]
			if other, ok := strings.CutPrefix(path, "/rows/"); ok {
				to := ask.All[other]
				require.NotNil(t, to, "%s.%s leads to %s", name, c.Name, c.Link)
				known = append(slices.Clone(to.Needs), "window")
				for _, f := range to.Filters {
					known = append(known, f.Name)
				}
				for _, need := range to.Needs {
					require.Contains(t, query, need+"=", "%s.%s", name, c.Name)
				}
			}
			require.NotEmpty(t, known, "%s.%s leads to %s", name, c.Name, c.Link)
			for pair := range strings.SplitSeq(query, "&") {
				key, value, _ := strings.Cut(pair, "=")
				require.Contains(t, known, key, "%s.%s", name, c.Name)
				if strings.HasPrefix(value, "{") {
					require.NotNil(t, q.Column(strings.Trim(value, "{}")), "%s.%s needs column %s", name, c.Name, value)
				}
			}
		}
	}
}

func TestWrongQuestions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values map[string]string
		want   string
	}{
		{"incident", nil, "incident_id: is needed"},
		{"failures", map[string]string{"clas": "auth"}, "clas: no such parameter"},
		{"failures", map[string]string{"class": "auth' OR 1"}, "class: choose auth, schema"},
		{"failures", map[string]string{"1=1 OR tenant": "x"}, "no such parameter"},
	} {
		_, err := ask.All[tt.name].SQL(ask.Params{Values: tt.values, Limit: 1})
		require.ErrorContains(t, err, tt.want)
		require.ErrorAs(t, err, new(ask.Problem))
	}
}

// What is shown is what ran: it can be copied into any client.
func TestShownIsWhatRan(t *testing.T) {
	db := warehousetest.New(t)
	a, err := ask.Ask(t.Context(), db, limits, "failures", ask.Params{
		Values: map[string]string{"record_key": `a'b\c`, "class": "auth"}, From: now.Add(-time.Hour), To: now, Limit: 5,
	})
	require.NoError(t, err)
	require.Contains(t, a.SQL, `occurred_at >= toDateTime64('2026-11-01 11:00:00.000', 3, 'UTC')`)
	require.Contains(t, a.SQL, `class = 'auth' AND record_key = 'a\'b\\c'`)
	require.True(t, strings.HasSuffix(a.SQL, "LIMIT 5"))
	_, _, err = db.Table(t.Context(), limits, a.SQL)
	require.NoError(t, err)
}
