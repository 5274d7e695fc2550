package clickhouse_test

import (
	"strings"
	"testing"

	"plumbline.dev/schemas/clickhouse"
)

func TestOnClusterATableIsReplicatedAndDistributed(t *testing.T) {
	got := clickhouse.OnCluster("main", `CREATE TABLE IF NOT EXISTS things_raw
(
    id String COMMENT 'x'
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1
COMMENT 'y'`)
	want := []string{"CREATE TABLE IF NOT EXISTS things_raw_local ON CLUSTER `main`" + `(
    id String COMMENT 'x'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', _rank)
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, id)
SETTINGS replicated_deduplication_window = 1000, fsync_after_insert = 1
COMMENT 'y'`, "CREATE TABLE IF NOT EXISTS things_raw ON CLUSTER `main` AS things_raw_local\nENGINE = Distributed(`main`, currentDatabase(), 'things_raw_local', cityHash64(tenant, id))"}
	if len(got) != 2 || strings.ReplaceAll(got[0], "\n(", "(") != want[0] || got[1] != want[1] {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n;\n"), strings.Join(want, "\n;\n"))
	}
}

// What a server counts by itself is neither replicated nor spread: each has all of it.
func TestOnClusterWhatIsCountedAnewIsEachServersOwn(t *testing.T) {
	for _, s := range []string{
		"CREATE TABLE IF NOT EXISTS kpi_kept%s\n(\n    id String COMMENT 'x'\n)\nENGINE = MergeTree\nORDER BY id\nCOMMENT 'y'",
		"-- Why.\nCREATE MATERIALIZED VIEW IF NOT EXISTS kpi_refresh%s\nREFRESH EVERY 30 SECOND\nTO kpi_kept AS\nSELECT 1\nCOMMENT 'y'",
	} {
		got := clickhouse.OnCluster("main", strings.Replace(s, "%s", "", 1))
		if want := strings.Replace(s, "%s", " ON CLUSTER `main`", 1); len(got) != 1 || got[0] != want {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n;\n"), want)
		}
	}
}

// Nothing of the schema is left on one server only.
func TestOnClusterEveryStatementIs(t *testing.T) {
	for _, s := range statements(t) {
		for _, r := range clickhouse.OnCluster("main", s) {
			if strings.Count(r, "ON CLUSTER `main`") != 1 {
				t.Errorf("runs on one server only: %.120s", r)
			}
			if strings.Contains(r, "ENGINE = ReplacingMergeTree") || strings.Contains(r, "non_replicated") {
				t.Errorf("is not replicated: %.120s", r)
			}
		}
	}
}
