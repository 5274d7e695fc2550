package warehouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/zap"
	schema "plumbline.dev/schemas/clickhouse"
)

const database = schema.Database

// ErrSchema says that the tables and this program do not fit.
var ErrSchema = errors.New("clickhouse schema")

// Migrate creates the database and applies what is missing, file by file. A
// file that was interrupted runs again from its start. It refuses to touch a
// schema that a newer program made.
func (d *DB) Migrate(ctx context.Context) error {
	if err := d.createDatabase(ctx); err != nil {
		return err
	}
	files, err := schema.Files()
	if err != nil {
		return err
	}
	applied, err := d.applied(ctx)
	if err != nil {
		return err
	}
	if applied > len(files) {
		return tooNew(applied, len(files))
	}
	for _, f := range files[applied:] {
		for _, s := range f.Statements() {
			if err := d.apply(ctx, schema.In(d.database, s)); err != nil {
				return fmt.Errorf("apply schema file %s: %w", f.Name, err)
			}
		}
		err := d.Exec(ctx, "INSERT INTO schema_version (version, name, checksum, applied_at) SELECT ?, ?, ?, now64(3)",
			f.Version, f.Name, f.Checksum)
		if err != nil {
			return fmt.Errorf("note schema file %s as applied: %w", f.Name, err)
		}
		d.log.Info("clickhouse schema applied", zap.String("file", f.Name))
	}
	return nil
}

func (d *DB) apply(ctx context.Context, statement string) error {
	rendered := []string{statement}
	if d.cluster != "" {
		rendered = schema.OnCluster(d.cluster, statement)
	}
	for _, s := range rendered {
		if err := d.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Check compares the schema with the one this program needs and changes
// nothing: every role but standalone only checks.
func (d *DB) Check(ctx context.Context) error {
	files, err := schema.Files()
	if err != nil {
		return err
	}
	applied, err := d.applied(ctx)
	switch {
	case err != nil:
		return err
	case applied > len(files):
		return tooNew(applied, len(files))
	case applied < len(files):
		return fmt.Errorf("%w is at version %d and this program needs %d: run `plumbline schema apply`",
			ErrSchema, applied, len(files))
	}
	return nil
}

func tooNew(applied, known int) error {
	return fmt.Errorf("%w is at version %d and this program knows %d: start the newer version that made it",
		ErrSchema, applied, known)
}

// applied is the highest version noted, 0 in an empty database.
func (d *DB) applied(ctx context.Context) (int, error) {
	var tables []struct {
		N uint64 `ch:"n"`
	}
	err := d.Query(ctx, &tables, "SELECT count() AS n FROM system.tables WHERE database = ? AND name = 'schema_version'", d.database)
	if err != nil {
		return 0, err
	}
	if len(tables) == 0 || tables[0].N == 0 {
		return 0, nil
	}
	var rows []struct {
		Version uint32 `ch:"v"`
	}
	if err := d.Query(ctx, &rows, "SELECT max(version) AS v FROM schema_version"); err != nil {
		return 0, err
	}
	return int(rows[0].Version), nil
}

// createDatabase connects elsewhere: a session cannot start in a database
// that is not there yet.
func (d *DB) createDatabase(ctx context.Context) error {
	opts := d.opts
	opts.Auth.Database = "default"
	opts.MaxOpenConns, opts.MaxIdleConns = 1, 1
	conn, err := clickhouse.Open(&opts)
	if err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	defer conn.Close()
	statement := "CREATE DATABASE IF NOT EXISTS `" + d.database + "`"
	if d.cluster != "" {
		statement += " ON CLUSTER `" + d.cluster + "`"
	}
	return wrap("create database "+d.database, conn.Exec(ctx, statement))
}
