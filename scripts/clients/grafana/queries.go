package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

type query struct {
	name, sql string
	atLeast   int // rows
}

// browser is what the editor asks to offer databases, tables, columns, values
// and functions, what variables and ad hoc filters are made of, and the
// macros that no dashboard of ours uses.
func browser() []query {
	columns := "SELECT database, table, name, type, comment FROM system.columns WHERE "
	return []query{
		{"databases", "SHOW DATABASES", 1},
		{"tables", `SHOW TABLES FROM "plumbline"`, 50},
		{"all tables", "SELECT database, name FROM system.tables ORDER BY database, name", 50},
		{"fields", `DESC TABLE "plumbline"."deliveries"`, 30},
		{"fields of a table", `DESCRIBE TABLE "plumbline"."kpi_mttr"`, 20},
		{"columns", columns + "(database, table) IN (('plumbline', 'deliveries'), ('plumbline', 'kpi_mttr')) ORDER BY database, table, position", 50},
		{"columns of the database", columns + "(database = currentDatabase() AND table IN ('changes')) ORDER BY database, table, position", 20},
		{"current database", "SELECT currentDatabase()", 1},
		{"version", "SELECT version()", 1},
		{"values", "SELECT DISTINCT integration FROM plumbline.integrations SETTINGS max_execution_time=10", 1},
		{"keys of a map", `SELECT DISTINCT arrayJoin(fields.keys) as keys FROM "plumbline"."changes" LIMIT 1000`, 0},
		{"functions", "SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, syntax, arguments, returned_value, examples, categories FROM system.functions LIMIT 10000", 500},
		{"tags", "SELECT name, type, table FROM system.columns WHERE database IN ('plumbline')", 500},
		{"tag values", "select distinct state from plumbline.deliveries limit 1000", 0},
		{"ad hoc filter", `SELECT count() FROM deliveries settings additional_table_filters={'deliveries' : ' state = \'applied\' '}`, 1},
		{"milliseconds", expand("SELECT $__timeInterval_ms(changed_at) AS time, count() FROM deliveries WHERE $__timeFilter_ms(changed_at) GROUP BY time ORDER BY time"), 0},
		{"dates", expand("SELECT count() FROM changes WHERE $__dateFilter(changed_at) AND $__dateTimeFilter(changed_at, received_at) AND $__dt(changed_at, received_at)"), 1},
		{"from and to", expand("SELECT $__fromTime, $__toTime, $__fromTime_ms, $__toTime_ms, $__interval_s"), 1},
		{"a window", expand("SELECT * FROM kpi_sync_success_rate_at(from = $__fromTime_ms, to = $__toTime_ms)"), 1},
		{"a table", "SELECT * FROM changes LIMIT 1000", 0},
		{"a table with maps", "SELECT * FROM attempts LIMIT 1000", 0},
	}
}

// dashboard are the queries of a dashboard's variables and panels. Where an
// integration is chosen, all are.
func dashboard(file string) ([]query, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var d struct {
		Title      string `json:"title"`
		Templating struct {
			List []struct {
				Name  string `json:"name"`
				Query string `json:"query"`
			} `json:"list"`
		} `json:"templating"`
		Panels []struct {
			Title   string `json:"title"`
			Targets []struct {
				RawSQL string `json:"rawSql"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var out []query
	for _, v := range d.Templating.List {
		if strings.HasPrefix(v.Query, "SELECT") {
			out = append(out, query{d.Title + ", variable " + v.Name, v.Query, 0})
		}
	}
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			if t.RawSQL != "" {
				out = append(out, query{d.Title + ", " + p.Title, expand(t.RawSQL), 0})
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no queries", file)
	}
	return out, nil
}

var (
	macro    = regexp.MustCompile(`\$__(\w+)(?:\(([^()]*)\))?`)
	variable = regexp.MustCompile(`\$\{\w+:singlequote\}`)
)

// expand writes macros out as the data source does, for the last six hours in
// steps of a minute.
func expand(sql string) string {
	to := time.Now()
	from := to.Add(-6 * time.Hour)
	second := func(t time.Time) string { return fmt.Sprintf("toDateTime(%d)", t.Unix()) }
	milli := func(t time.Time) string { return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", t.UnixMilli()) }
	date := func(t time.Time) string { return "toDate('" + t.Format("2006-01-02") + "')" }
	between := func(column string, as func(time.Time) string) string {
		return fmt.Sprintf("%s >= %s AND %s <= %s", column, as(from), column, as(to))
	}
	sql = variable.ReplaceAllString(sql, "'hubspot-salesforce','demo'")
	return macro.ReplaceAllStringFunc(sql, func(found string) string {
		m := macro.FindStringSubmatch(found)
		name, args := m[1], strings.Split(m[2], ",")
		first, last := strings.TrimSpace(args[0]), strings.TrimSpace(args[len(args)-1])
		switch name {
		case "fromTime":
			return second(from)
		case "toTime":
			return second(to)
		case "fromTime_ms":
			return milli(from)
		case "toTime_ms":
			return milli(to)
		case "timeFilter":
			return between(first, second)
		case "timeFilter_ms":
			return between(first, milli)
		case "dateFilter":
			return between(first, date)
		case "dateTimeFilter", "dt":
			return "(" + between(first, date) + ") AND (" + between(last, second) + ")"
		case "timeInterval":
			return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL 60 second)", first)
		case "timeInterval_ms":
			return fmt.Sprintf("toStartOfInterval(toDateTime64(%s, 3), INTERVAL 60000 millisecond)", first)
		case "interval_s":
			return "60"
		}
		return found
	})
}
