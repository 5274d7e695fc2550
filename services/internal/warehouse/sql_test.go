package warehouse_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// What each question of docs/sql.md answers on the seeded data: the first row,
// cell by cell as JSON, times left out; and how many rows there are.
var answers = map[string]struct {
	rows  int
	first string
}{
	"1":       {3, `["hs-sf","schema","a picklist value",4,1]`},
	"2":       {4, `["hs-sf","contact","hs-sf/contact/1","phone","+1 1","+1 ***","T"]`},
	"3":       {2, `["hs-sf","contact","phone",3,3]`},
	"4":       {1, `["T","hs-sf","applied_event",30,9]`},
	"5":       {1, `["hs-sf","contact","hs-sf/contact/20","stalled",120]`},
	"6":       {1, `["hs-sf","contact","phone","phone became a picklist",3]`},
	"7":       {1, `["enricher","hs-sf",2,3,["phone"]]`},
	"8":       {1, `["hs-sf","worker","tok_sf",1,13]`},
	"9":       {1, `["hs-sf","worker",1.3846153846153846,1,0,1]`},
	"10":      {2, `["(nobody)","P1",1,1,5]`},
	"11":      {1, `["hs-sf","contact","phone","T",1]`},
	"12":      {2, `["hs-sf","hubspot",2,1,["agent:enricher","user:ada"],100,3,0]`},
	"13":      {1, `["hubspot","contact","phone",["agent:enricher","user:ada"],13]`},
	"14":      {2, `["hs-sf","customer",4,66.7]`},
	"15":      {1, `["tok_sf",["hs-sf"],18,18,0,"T"]`},
	"16":      {4, `["T","changed","update by agent enricher"]`},
	"17":      {3, `["hs-sf/contact/1",["phone"],"https://app.hubspot.com/contacts/62515/record/0-1/1","https://login.salesforce.com/0031"]`},
	"18":      {1, `["hs-sf","fp1","picklist refused",2,"T"]`},
	"19":      {1, `["hs-sf","contact","phone",3,3,0,"T"]`},
	"20":      {1, `["hook:hubspot-main","undecodable",1,"not JSON","T"]`},
	"21":      {1, `["hs-sf","contact","schema change: phone became a picklist",3,100,"compare the map"]`},
	"22":      {1, `["hs-sf","contact",12300,"EUR",2,3,"12 k EUR on 2 contact records whose phone differs; known on 2 of 3"]`},
	"Grafana": {2, `["T","hs-sf",1]`},
}

// Every question that the documentation answers runs, and answers it.
func TestQuestionsOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/sql.md")
	require.NoError(t, err)
	questions := regexp.MustCompile("(?s)\n##+ (\\d+|Grafana)[^\n]*\n.*?```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, questions, len(answers))
	db := warehousetest.New(t)
	seed(t, db)
	for _, q := range questions {
		t.Run(q[1], func(t *testing.T) {
			got := ask(t, db.Database(), q[2])
			want := answers[q[1]]
			first := ""
			if len(got) > 0 {
				first = instants.ReplaceAllString(got[0], `"T"`)
			}
			require.Equal(t, want.first, first, "%s", strings.Join(got, "\n"))
			require.Len(t, got, want.rows, "%s", strings.Join(got, "\n"))
		})
	}
}

var instants = regexp.MustCompile(`"20\d\d-[^"]*"`)

// ask is what curl does, read-only as an analyst's query is.
func ask(t *testing.T, database, sql string) []string {
	t.Helper()
	args := url.Values{
		"database": {database}, "readonly": {"2"}, "default_format": {"JSONCompactEachRow"}, "output_format_json_quote_64bit_integers": {"0"},
		"output_format_json_escape_forward_slashes": {"0"},
	}
	resp, err := http.Post("http://"+warehousetest.Addr(t)+"/?"+args.Encode(), "text/plain", strings.NewReader(sql))
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", raw)
	var out []string
	for line := range strings.Lines(string(raw)) {
		var row []json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = strings.ReplaceAll(string(c), ", ", ",")
		}
		out = append(out, fmt.Sprintf("[%s]", strings.Join(cells, ",")))
	}
	return out
}
