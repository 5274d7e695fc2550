package clickhouse

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

// Grants are the statements that make a read-only user on a real server.
//
//go:embed grants/analyst.sql
var Grants string

var (
	createTable = regexp.MustCompile(`^((?:--[^\n]*\n|\s)*)CREATE TABLE IF NOT EXISTS (\w+)\s*\n`)
	createView  = regexp.MustCompile(`^((?:--[^\n]*\n|\s)*)CREATE OR REPLACE VIEW (\w+)`)
	refreshed   = regexp.MustCompile(`^((?:--[^\n]*\n|\s)*)CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+)`)
	dropView    = regexp.MustCompile(`^((?:--[^\n]*\n|\s)*)DROP VIEW IF EXISTS (\w+)`)
	alterTable  = regexp.MustCompile(`^((?:--[^\n]*\n|\s)*)ALTER TABLE (\w+)`)
	engine      = regexp.MustCompile(`\bENGINE = ReplacingMergeTree(?:\(([^)]*)\))?`)
	orderBy     = regexp.MustCompile(`(?m)^ORDER BY (.+)$`)
)

// OnCluster renders a statement for a cluster: each table becomes a replicated
// one on every shard, behind a Distributed table of its name, so that views,
// inserts and read-back stay as they are. Rows with one sort key meet on one
// shard, which is what FINAL needs. A plain MergeTree is what a server refills by
// itself: each has its own, and counts the whole cluster.
func OnCluster(cluster, statement string) []string {
	on := fmt.Sprintf("ON CLUSTER `%s`", cluster)
	if m := createTable.FindStringSubmatch(statement); m != nil {
		name := m[2]
		if strings.Contains(statement, "ENGINE = MergeTree") {
			return []string{strings.Replace(statement, "IF NOT EXISTS "+name, "IF NOT EXISTS "+name+" "+on, 1)}
		}
		local := strings.Replace(statement, "IF NOT EXISTS "+name, "IF NOT EXISTS "+name+"_local "+on, 1)
		local = engine.ReplaceAllStringFunc(local, replicated)
		local = strings.Replace(local, "non_replicated_deduplication_window", "replicated_deduplication_window", 1)
		return []string{local, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s %s AS %s_local\nENGINE = Distributed(`%s`, currentDatabase(), '%s_local', %s)",
			name, on, name, cluster, name, shardingKey(statement))}
	}
	if m := createView.FindStringSubmatch(statement); m != nil {
		return []string{strings.Replace(statement, "VIEW "+m[2], "VIEW "+m[2]+" "+on, 1)}
	}
	if m := refreshed.FindStringSubmatch(statement); m != nil {
		return []string{strings.Replace(statement, "EXISTS "+m[2], "EXISTS "+m[2]+" "+on, 1)}
	}
	if m := dropView.FindStringSubmatch(statement); m != nil {
		return []string{strings.Replace(statement, "EXISTS "+m[2], "EXISTS "+m[2]+" "+on, 1)}
	}
	m := alterTable.FindStringSubmatch(statement)
	if m == nil {
		return []string{statement}
	}
	local := strings.Replace(statement, "TABLE "+m[2], "TABLE "+m[2]+"_local "+on, 1)
	if !strings.Contains(statement, "ADD COLUMN") {
		return []string{local} // indexes and lifetimes are the local tables' own
	}
	return []string{local, strings.Replace(statement, "TABLE "+m[2], "TABLE "+m[2]+" "+on, 1)}
}

func replicated(s string) string {
	m := engine.FindStringSubmatch(s)
	args := "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
	if m[1] != "" {
		args += ", " + m[1]
	}
	return "ENGINE = ReplicatedReplacingMergeTree(" + args + ")"
}

// shardingKey hashes the sort key's columns.
func shardingKey(statement string) string {
	m := orderBy.FindStringSubmatch(statement)
	if m == nil {
		return "rand()"
	}
	return "cityHash64(" + strings.Trim(m[1], "()") + ")"
}
