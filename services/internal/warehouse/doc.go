// Package warehouse is the only code that speaks to ClickHouse. It connects,
// applies schemas/clickhouse, turns events into rows, inserts them so that an
// uncertain insert can be settled afterwards, and runs queries for others.
package warehouse
