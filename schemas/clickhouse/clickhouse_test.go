package clickhouse_test

import (
	"regexp"
	"strings"
	"testing"

	"plumbline.dev/schemas/clickhouse"
	"plumbline.dev/schemas/topic"
)

func statements(t *testing.T) []string {
	t.Helper()
	files, err := clickhouse.Files()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no schema files embedded")
	}
	var all []string
	for _, f := range files {
		all = append(all, f.Statements()...)
	}
	return all
}

// A start that was interrupted runs a file again: every statement must bear it.
func TestStatementsCanRunTwice(t *testing.T) {
	again := regexp.MustCompile(`(?s)^(--[^\n]*\n|\s)*(CREATE TABLE IF NOT EXISTS|CREATE OR REPLACE VIEW|CREATE MATERIALIZED VIEW IF NOT EXISTS|DROP VIEW IF EXISTS|ALTER TABLE \w+\s+((ADD COLUMN|ADD INDEX) IF NOT EXISTS|MODIFY TTL))\b`)
	for _, s := range statements(t) {
		if !again.MatchString(s) {
			t.Errorf("runs only once, write IF NOT EXISTS or OR REPLACE: %.80s", s)
		}
		if !explained(s) {
			t.Errorf("has no COMMENT: %.80s", s)
		}
	}
}

// explained reports whether what a statement makes has a comment, each column
// that it adds too.
func explained(s string) bool {
	if strings.Contains(s, "ADD COLUMN") {
		return strings.Count(s, "ADD COLUMN") == len(regexp.MustCompile(`\sCOMMENT '`).FindAllString(s, -1))
	}
	return strings.Contains(s, "\nCOMMENT '") || strings.Contains(s, "MODIFY TTL") || strings.Contains(s, "DROP VIEW") || strings.Contains(s, "ADD INDEX") // these bear none
}

func TestEveryColumnOfATableIsExplained(t *testing.T) {
	column := regexp.MustCompile("^    [`\\w]+ [A-Z]")
	for _, s := range statements(t) {
		if !strings.Contains(s, "CREATE TABLE") {
			continue
		}
		for line := range strings.Lines(s) {
			if column.MatchString(line) && !strings.HasPrefix(line, "    INDEX") && !strings.Contains(line, " COMMENT '") {
				t.Errorf("column has no COMMENT: %s", line)
			}
		}
	}
}

// What a topic fills must be there, as rows and under its public name, and say
// whose the rows are.
func TestEveryFilledTableExists(t *testing.T) {
	all := strings.Join(statements(t), ";\n")
	for _, spec := range topic.All {
		for _, fill := range spec.Tables {
			for _, want := range []string{"TABLE IF NOT EXISTS " + fill.Table + "_raw\n", "VIEW " + fill.Table + "\n"} {
				_, rest, ok := strings.Cut(all, want)
				if !ok {
					t.Errorf("topic %s fills %s, but the schema has no %s", spec.Name, fill.Table, want)
					continue
				}
				body, _, _ := strings.Cut(rest, ";\n")
				for _, col := range []string{"    tenant ", "    integration "} {
					if !strings.Contains(body, col) {
						t.Errorf("%s has no column%s", strings.TrimSpace(want), col)
					}
				}
			}
		}
	}
}

func TestInNamesTheDatabase(t *testing.T) {
	got := clickhouse.In("other", "SELECT * FROM plumbline.kpi_at(from = 1)")
	if want := "SELECT * FROM `other`.kpi_at(from = 1)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
