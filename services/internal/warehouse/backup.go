package warehouse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Manifest says what a backup holds.
type Manifest struct {
	Schema int           `json:"schema"`
	At     time.Time     `json:"at"`
	Tables []BackupTable `json:"tables"`
}

// BackupTable is one file of a backup.
type BackupTable struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Rows of all tables.
func (m *Manifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

const manifestFile = "manifest.json"

// Backup copies every table into a new folder. Tables are copied one after
// the other while rows come in: what a later one has and an earlier one has
// not, the sink reads again after a restore. What the server counts anew by
// itself (..._kept) is left out. The manifest is written last, so
// that half a backup is none.
func (d *DB) Backup(ctx context.Context, dir string) (*Manifest, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	version, err := d.applied(ctx)
	if err != nil {
		return nil, err
	}
	m := &Manifest{Schema: version, At: time.Now().UTC()}
	var tables []struct {
		Name string `ch:"name"`
	}
	err = d.Query(ctx, &tables, "SELECT name FROM system.tables WHERE database = ? AND engine LIKE '%MergeTree' AND name NOT LIKE '%\\_local' "+
		"AND name NOT LIKE '%\\_kept' AND name NOT LIKE '.%' ORDER BY name", d.database)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		kept, err := d.backupTable(ctx, dir, t.Name)
		if err != nil {
			return nil, fmt.Errorf("back up %s: %w", t.Name, err)
		}
		m.Tables = append(m.Tables, *kept)
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return m, os.WriteFile(filepath.Join(dir, manifestFile), raw, 0o600)
}

func (d *DB) backupTable(ctx context.Context, dir, name string) (*BackupTable, error) {
	f, err := os.OpenFile(filepath.Join(dir, name+".parquet"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	err = d.Download(ctx, io.MultiWriter(f, sum), "SELECT * FROM `"+name+"` SETTINGS output_format_parquet_compression_method = 'zstd'", "Parquet")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	var rows []struct {
		N uint64 `ch:"n"`
	}
	if err := d.Query(ctx, &rows, "SELECT count() AS n FROM `"+name+"`"); err != nil {
		return nil, err
	}
	return &BackupTable{Name: name, Rows: int64(rows[0].N), SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// Restore puts a backup's rows back. It refuses one of another schema, and one
// whose files are not what the manifest says, before it writes anything.
func (d *DB) Restore(ctx context.Context, dir string) (*Manifest, error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, fmt.Errorf("restore: %s is no finished backup: %w", dir, err)
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("restore: read the manifest: %w", err)
	}
	version, err := d.applied(ctx)
	if err != nil {
		return nil, err
	}
	if m.Schema != version {
		return nil, fmt.Errorf("restore: the backup has schema %d and ClickHouse %d: restore with the program that made it, then upgrade", m.Schema, version)
	}
	for _, t := range m.Tables {
		if !plainName(t.Name) {
			return nil, fmt.Errorf("restore: %q is no table's name", t.Name)
		}
		if err := checkSum(filepath.Join(dir, t.Name+".parquet"), t.SHA256); err != nil {
			return nil, err
		}
	}
	for _, t := range m.Tables {
		if t.Rows == 0 || t.Name == "schema_version" {
			continue
		}
		if err := d.restoreTable(ctx, dir, t.Name); err != nil {
			return nil, fmt.Errorf("restore %s: %w", t.Name, err)
		}
	}
	return &m, nil
}

func checkSum(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("restore: %s is damaged: its SHA-256 is %s and not %s", path, got, want)
	}
	return nil
}

func (d *DB) restoreTable(ctx context.Context, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, name+".parquet"))
	if err != nil {
		return err
	}
	defer f.Close()
	var columns []struct {
		Name string `ch:"name"`
	}
	err = d.Query(ctx, &columns, "SELECT name FROM system.columns WHERE database = ? AND table = ? AND default_kind = '' ORDER BY position", d.database, name)
	if err != nil {
		return err
	}
	var list bytes.Buffer
	for i, c := range columns {
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString("`" + strings.ReplaceAll(c.Name, "`", "") + "`")
	}
	args := url.Values{
		"database": {d.database}, "query": {"INSERT INTO `" + name + "` (" + list.String() + ") FORMAT Parquet"},
		"insert_deduplicate": {"0"}, "wait_end_of_query": {"1"}, "max_partitions_per_insert_block": {"0"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.address()+"?"+args.Encode(), f)
	if err != nil {
		return err
	}
	d.identify(req)
	res, err := d.http.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer res.Body.Close()
	return answer(res)
}
