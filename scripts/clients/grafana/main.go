// Command grafana asks an engine what Grafana's ClickHouse data source asks
// over HTTP: its health check, its schema browser, ad hoc filters, and every
// panel of the dashboards given, with the macros as the data source writes them.
//
//	go run . http://127.0.0.1:8123 ../../../deploy/grafana/dashboards/*.json
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: grafana http://host:port [dashboard.json...]")
		os.Exit(2)
	}
	n, err := run(context.Background(), os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "grafana:", err)
		os.Exit(1)
	}
	fmt.Printf("grafana: %d queries answered\n", n)
}

func run(ctx context.Context, address string, dashboards []string) (int, error) {
	db, err := open(address, nil)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := health(ctx, address, db); err != nil {
		return 0, fmt.Errorf("health check: %w", err)
	}
	queries := browser()
	for _, file := range dashboards {
		panels, err := dashboard(file)
		if err != nil {
			return 0, err
		}
		queries = append(queries, panels...)
	}
	place, err := time.LoadLocation("Asia/Kolkata") // the time picker's zone travels with each query
	if err != nil {
		return 0, err
	}
	asked := clickhouse.Context(ctx, clickhouse.WithUserLocation(place),
		clickhouse.WithClientInfo(clickhouse.ClientInfo{Comment: []string{"grafana_user:admin", "grafana_dashboard:kpis"}}))
	for _, q := range queries {
		rows, err := ask(asked, db, q.sql)
		switch {
		case err != nil:
			return 0, fmt.Errorf("%s: %w\n%s", q.name, err, q.sql)
		case rows < q.atLeast:
			return 0, fmt.Errorf("%s: %d rows, want %d at least\n%s", q.name, rows, q.atLeast, q.sql)
		}
	}
	return len(queries), nil
}

// open connects as the data source does: HTTP, gzip, its name in the agent.
func open(address string, settings clickhouse.Settings) (*sql.DB, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no address: write http://host:port", address)
	}
	password, _ := u.User.Password()
	info := clickhouse.ClientInfo{}
	info.Products = append(info.Products, struct{ Name, Version string }{"grafana", "12.0.0"}, struct{ Name, Version string }{"clickhouse-datasource", "4.10.0"})
	db := clickhouse.OpenDB(&clickhouse.Options{
		Addr: []string{u.Host}, Protocol: clickhouse.HTTP, ClientInfo: info, Settings: settings,
		Auth:        clickhouse.Auth{Database: "plumbline", Username: u.User.Username(), Password: password},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionGZIP},
		DialTimeout: 10 * time.Second, ReadTimeout: time.Minute, HttpHeaders: map[string]string{"X-Grafana-Org-Id": "1"},
	})
	db.SetConnMaxLifetime(5 * time.Minute)
	db.SetMaxIdleConns(25)
	db.SetMaxOpenConns(50)
	return db, nil
}

// health is what "Save & test" does, and its probes of a connection that is
// forced to read only: a setting holds, and no query can change it.
func health(ctx context.Context, address string, db *sql.DB) error {
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	var readonly string
	if err := db.QueryRowContext(ctx, "SELECT value FROM system.settings WHERE name='readonly'").Scan(&readonly); err != nil || readonly != "0" {
		return fmt.Errorf("readonly is %q: %w", readonly, err)
	}
	forced, err := open(address, clickhouse.Settings{"max_result_rows": 12345, "readonly": 1})
	if err != nil {
		return err
	}
	defer forced.Close()
	var kept string
	if err := forced.QueryRowContext(ctx, "SELECT toString(getSetting('max_result_rows'))").Scan(&kept); err != nil || kept != "12345" {
		return fmt.Errorf("an enforced setting reads %q: %w", kept, err)
	}
	_, err = ask(ctx, forced, "SELECT 1 SETTINGS max_result_rows = 5")
	var refused *clickhouse.Exception
	if !errors.As(err, &refused) || refused.Code != 164 {
		return fmt.Errorf("a query may change an enforced setting: %v", err)
	}
	return nil
}

// ask reads all rows, each into what the driver says its columns are.
func ask(ctx context.Context, db *sql.DB, query string) (int, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return 0, err
	}
	n := 0
	for ; rows.Next(); n++ {
		cells := make([]any, len(types))
		for i, t := range types {
			cells[i] = reflect.New(t.ScanType()).Interface()
		}
		if err := rows.Scan(cells...); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}
