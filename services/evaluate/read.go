package evaluate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// Gather reads what Plumbline says about the time of a truth.
func Gather(ctx context.Context, db *warehouse.DB, w *World) (*Findings, error) {
	r := reader{ctx: ctx, db: db, w: w, out: &Findings{KPIs: map[string]KPI{}, Missing: map[string]string{}}}
	if err := r.relations(); err != nil {
		return nil, err
	}
	for _, read := range []func() error{
		r.deliveries, r.divergences, r.explanations, r.silent, r.failures, r.incidents, r.alerts, r.kpis, r.retries, r.surface,
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

type reader struct {
	ctx  context.Context //nolint:containedctx // of one Gather
	db   *warehouse.DB
	w    *World
	out  *Findings
	have map[string]bool
}

// relations lists the tables and views that are there.
func (r *reader) relations() error {
	var rows []struct {
		Name string `ch:"name"`
	}
	if err := r.db.Query(r.ctx, &rows, "SELECT name FROM system.tables WHERE database = currentDatabase()"); err != nil {
		return err
	}
	r.have = map[string]bool{}
	for _, t := range rows {
		r.have[t.Name] = true
	}
	return nil
}

// lacks notes a relation that is not there, for a group of rows.
func (r *reader) lacks(group, relation string) bool {
	if !r.have[relation] {
		r.out.Missing[group] = "there is no " + relation
	}
	return !r.have[relation]
}

const ms = "toInt64(toUnixTimestamp64Milli(ifNull(%s, toDateTime64(0, 3, 'UTC')))) AS %s"

func millis(column, as string) string { return fmt.Sprintf(ms, column, as) }

func (r *reader) deliveries() error {
	if r.lacks(GroupDeliveries, "deliveries") {
		return nil
	}
	return r.db.Query(r.ctx, &r.out.Deliveries, "SELECT delivery_id, integration, state, "+millis("updated_at", "updated_ms")+
		", ifNull(latency_ms, 0) AS latency, late FROM deliveries")
}

func (r *reader) divergences() error {
	if r.lacks(GroupDivergences, "divergences") {
		return nil
	}
	err := r.db.Query(r.ctx, &r.out.Divergences, "SELECT divergence_id, integration, object, source_id, target_id, field, kind, difference, state, cause, "+
		millis("first_seen_at", "first_seen")+", "+millis("confirmed_at", "confirmed")+", "+millis("resolved_at", "resolved")+" FROM divergences")
	if err == nil && len(r.out.Divergences) == 0 && len(r.w.Gaps) > 0 {
		r.out.Missing[GroupDivergences] = "divergences is empty"
		r.out.Missing[GroupCauses] = "divergences is empty"
	}
	return err
}

func (r *reader) explanations() error {
	if r.lacks(GroupCauses, "explanations") {
		return nil
	}
	return r.db.Query(r.ctx, &r.out.Explanations, "SELECT integration, cause, `rank` AS place FROM explanations WHERE kind != ?", unexplained)
}

func (r *reader) silent() error {
	if r.lacks(GroupListed, "silent_failures") {
		return nil
	}
	return r.db.Query(r.ctx, &r.out.Listed, "SELECT integration, object, source_id, "+millis("found_at", "found_ms")+" FROM silent_failures")
}

// retries and surface are beside the five KPIs.
func (r *reader) retries() error {
	if r.lacks(GroupRetries, "retry_health_at") {
		return nil
	}
	var rows []Habits
	err := r.db.Query(r.ctx, &rows, "SELECT integration, toUInt64(sum(h.attempts)) AS attempts, toUInt64(sum(h.records)) AS records, toUInt64(sum(h.retried)) AS retried, "+
		"toUInt64(sum(permanent_retried)) AS repeated, toUInt64(sum(unsafe_creates)) AS unsafe, toUInt64(sum(early_retries)) AS early FROM retry_health_at(from = ?, to = ?) AS h GROUP BY integration",
		time.UnixMilli(r.w.Start).UTC(), time.UnixMilli(r.w.End+1).UTC())
	r.out.Retries = map[string]Habits{}
	for _, x := range rows {
		r.out.Retries[x.Integration] = x
	}
	return err
}

func (r *reader) surface() error {
	if r.lacks(GroupSurface, "integration_surface") {
		return nil
	}
	var rows []Surface
	err := r.db.Query(r.ctx, &rows, "SELECT integration, records, objects, shared_fields AS shared FROM integration_surface WHERE system = ?", source)
	r.out.Surface = map[string]Surface{}
	for _, x := range rows {
		r.out.Surface[x.Integration] = x
	}
	return err
}

func (r *reader) failures() error {
	if r.lacks(GroupFailures, "failures") {
		return nil
	}
	return r.db.Query(r.ctx, &r.out.Failures, "SELECT attempt_id, integration, class, recoverability, attribution FROM failures WHERE origin = 'error'")
}

func (r *reader) incidents() error {
	if r.lacks(GroupIncidents, "incidents") {
		return nil
	}
	return r.db.Query(r.ctx, &r.out.Incidents, "SELECT incident_id, integration, class, "+
		millis("onset_at", "onset")+", "+millis("detected_at", "detected")+", "+millis("resolved_at", "resolved")+" FROM incidents")
}

// alerts hold what agents and tokens did, too.
func (r *reader) alerts() error {
	if r.lacks(GroupAgents, "alerts") {
		return nil
	}
	var rows []struct {
		Alert
		Subject string `ch:"subject"`
	}
	err := r.db.Query(r.ctx, &rows, "SELECT rule, integration, subject, "+millis("since", "since_ms")+" FROM alerts WHERE status = 'firing'")
	for _, a := range rows {
		r.out.Alerts = append(r.out.Alerts, a.Alert)
		for _, f := range r.w.Faults {
			if f.Actor != "" && strings.Contains(a.Subject, f.ID) {
				r.out.Tripped = append(r.out.Tripped, f.ID)
			}
		}
	}
	return err
}

// kpis reads each KPI over the run, up to its last closed minute. The views are
// sums of minutes: the one in which the run began is taken whole, as nothing was
// before.
func (r *reader) kpis() error {
	from, to := time.UnixMilli(r.w.Start).UTC().Truncate(time.Minute), time.UnixMilli(r.w.Until()).UTC()
	for _, view := range []string{KPISuccess, KPILatency, KPIMTTR, KPIDrift, KPICoverage} {
		if !r.have[view+"_at"] {
			continue
		}
		beside := "0. AS record_success, false AS by_records"
		if view == KPISuccess {
			beside = "ifNull(record_success_rate, -1.) AS record_success, basis = 'records' AS by_records"
		}
		var rows []struct {
			Integration   string  `ch:"integration"`
			Value         float64 `ch:"measured"`
			Known         bool    `ch:"known"`
			Denominator   float64 `ch:"compared"`
			RecordSuccess float64 `ch:"record_success"`
			ByRecords     bool    `ch:"by_records"`
		}
		series := ""
		if view == KPISuccess || view == KPILatency {
			series = " AND series = ''"
		}
		value := "toFloat64(ifNull(value, 0)) AS measured, value IS NOT NULL AS known, "
		if view == KPIMTTR { // it lists few incidents instead of averaging them
			value = "toFloat64(numerator) / greatest(denominator, 1) AS measured, denominator > 0 AS known, "
		}
		err := r.db.Query(r.ctx, &rows, "SELECT integration, "+value+
			"toFloat64(ifNull(denominator, 0)) AS compared, "+beside+" FROM "+view+"_at(from = ?, to = ?) WHERE object = ''"+series, from, to)
		if err != nil {
			return err
		}
		for _, x := range rows {
			k := KPI{Value: x.Value, Known: x.Known, Beside: map[string]float64{"denominator": x.Denominator}}
			if view == KPISuccess {
				k.Beside["by_records"] = float64(boolInt(x.ByRecords))
				if x.RecordSuccess >= 0 {
					k.Beside["record_success_rate"] = x.RecordSuccess
				}
			}
			r.out.KPIs[x.Integration+"/"+view] = k
		}
	}
	return nil
}
