package warehouse

import (
	"context"
	"fmt"
	"strings"
)

// scope is the filter that keeps a read within tenants. It is put on the
// tables themselves, whatever view or join stands before them, so that no
// statement can forget it. Tables without a tenant show nothing.
func (d *DB) scope(ctx context.Context, tenants []string) (string, error) {
	tables, err := d.tenantTables(ctx)
	if err != nil {
		return "", err
	}
	quoted := make([]string, len(tenants))
	for i, t := range tenants {
		quoted[i] = Quote(t)
	}
	within := "tenant IN (" + strings.Join(quoted, ", ") + ")"
	var filters []string
	for _, t := range tables {
		filter := "0"
		if t.Tenant {
			filter = within
		}
		filters = append(filters, Quote(d.database+"."+t.Name)+": "+Quote(filter))
	}
	return "{" + strings.Join(filters, ", ") + "}", nil
}

type tenantTable struct {
	Name   string `ch:"name"`
	Tenant bool   `ch:"tenant"`
}

// tenantTables are asked for once: tables come with a new version, and it is
// started anew for them.
func (d *DB) tenantTables(ctx context.Context) ([]tenantTable, error) {
	d.tables.Lock()
	defer d.tables.Unlock()
	if d.tables.list != nil {
		return d.tables.list, nil
	}
	var list []tenantTable
	err := d.Query(ctx, &list, `SELECT t.name AS name, name IN (
	SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'tenant') AS tenant
FROM system.tables AS t WHERE t.database = currentDatabase() AND NOT endsWith(t.engine, 'View') ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read which tables have a tenant: %w", err)
	}
	if len(list) > 0 {
		d.tables.list = list
	}
	return list, nil
}
