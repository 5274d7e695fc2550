package warehouse

import (
	"context"
	"time"

	"plumbline.dev/schemas/config"
)

// Latency targets by mode, where no threshold says otherwise (KPI 2).
const (
	realtimeTarget = 5 * time.Minute
	batchTarget    = time.Hour
	latencyTarget  = "latency_target_ms" // the threshold that overrides them
)

// WriteIntegrations tells the views what is configured: which targets apply,
// and which integrations exist without data. What is no longer there is
// marked, so that it leaves the KPIs.
func (d *DB) WriteIntegrations(ctx context.Context, list []config.Integration) error {
	now := time.Now().UTC()
	hash := config.Hash(list)
	known, err := d.knownIntegrations(ctx)
	if err != nil {
		return err
	}
	batch, err := d.conn.PrepareBatch(ctx, "INSERT INTO integrations_raw (tenant, integration, object, mode, target_ms, attempts, "+
		"deadline_ms, priority, critical, thresholds, impact_field, impact_when, impact_currency, impact_at, config_hash, since, updated_at, removed)")
	if err != nil {
		return wrap("write integrations", err)
	}
	defer batch.Close()
	for _, row := range integrationRows(list) {
		key := [3]string{row.tenant, row.integration, row.object}
		since, ok := known[key]
		if !ok {
			since = now
		}
		delete(known, key)
		if err := row.append(batch.Append, hash, since, now, false); err != nil {
			return wrap("write integrations", err)
		}
	}
	for key, since := range known {
		gone := integrationRow{tenant: key[0], integration: key[1], object: key[2]}
		if err := gone.append(batch.Append, hash, since, now, true); err != nil {
			return wrap("write integrations", err)
		}
	}
	return wrap("write integrations", batch.Send())
}

type integrationRow struct {
	tenant, integration, object string
	config                      config.Integration
	critical                    bool
	impact                      impact
}

func (r integrationRow) append(add func(...any) error, hash string, since, now time.Time, removed bool) error {
	c := r.config
	thresholds := c.Thresholds
	if thresholds == nil {
		thresholds = map[string]float64{}
	}
	return add(r.tenant, r.integration, r.object, c.Mode, target(c), c.Attempts, time.Duration(c.Deadline).Milliseconds(),
		c.Priority, r.critical, thresholds, r.impact.field, r.impact.when, r.impact.currency, r.impact.at[:], hash, since, now, removed)
}

// integrationRows makes one row an integration, with no object, and one for
// each of its objects.
func integrationRows(list []config.Integration) []integrationRow {
	var out []integrationRow
	for _, c := range list {
		tenant := c.Tenant
		if tenant == "" {
			tenant = defaultTenant
		}
		out = append(out, integrationRow{tenant: tenant, integration: c.ID, config: c})
		for _, o := range c.Objects {
			out = append(out, integrationRow{
				tenant: tenant, integration: c.ID, object: o.Name, config: c, critical: o.Critical != nil && *o.Critical,
				impact: impactOf(&o),
			})
		}
	}
	return out
}

func target(c config.Integration) int64 {
	if ms := c.Thresholds[latencyTarget]; ms > 0 {
		return int64(ms)
	}
	if c.Mode == config.Batch {
		return batchTarget.Milliseconds()
	}
	return realtimeTarget.Milliseconds()
}

func (d *DB) knownIntegrations(ctx context.Context) (map[[3]string]time.Time, error) {
	var rows []struct {
		Tenant      string    `ch:"tenant"`
		Integration string    `ch:"integration"`
		Object      string    `ch:"object"`
		Since       time.Time `ch:"since"`
	}
	if err := d.Query(ctx, &rows, "SELECT tenant, integration, object, since FROM integrations"); err != nil {
		return nil, err
	}
	out := make(map[[3]string]time.Time, len(rows))
	for _, r := range rows {
		out[[3]string{r.Tenant, r.Integration, r.Object}] = r.Since
	}
	return out, nil
}
