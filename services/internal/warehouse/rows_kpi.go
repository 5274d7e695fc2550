package warehouse

import (
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

func kpiMinutesTable() *Table {
	return kpiTable("kpi_minutes", "minute", func(e *event.KPIMinute) *event.KPIMinute { return e })
}

func kpiHoursTable() *Table {
	return kpiTable("kpi_hours", "hour", func(e *event.KPIHour) *event.KPIMinute { return (*event.KPIMinute)(e) })
}

// kpiTable holds additions to minutes or hours. What the views add up has a
// column of its own; the rest stays in counts under its name.
func kpiTable[E event.Event](name, time string, of func(E) *event.KPIMinute) *Table {
	var kind E
	sum := func(name string, add func([]event.Count) int64) Column {
		return int64s(name, func(e E) int64 { return add(of(e).Counts) })
	}
	return define(Table{
		Name: name, Type: kind.EventType(), month: received(func(e E) event.Time { return of(e).Minute }),
		version: func(e event.Event) uint64 { return of(e.(E)).Version },
		columns: append([]Column{
			id("addition_id", func(e E) string { return of(e).ID }),
			tenant(func(e E) string { return of(e).Tenant }),
			id("integration", func(e E) string { return of(e).Integration }),
			text("object", func(e E) string { return of(e).Object }),
			text("series", func(e E) string { return of(e).Series }),
			at(time, func(e E) event.Time { return of(e).Minute }),
			counts("counts", func(e E) []event.Count { return others(of(e).Counts) }),
			sum("attempts_ok", func(c []event.Count) int64 { return writes(c, "/"+event.OutcomeOK) }),
			sum("attempts_ended", func(c []event.Count) int64 { return writes(c, "") }),
			sum("write_failures", func(c []event.Count) int64 { return below(c, "write_failures/") }),
			sum("vendor_failures", func(c []event.Count) int64 { return below(c, "write_failures/"+event.ClassVendorOutage+"/") }),
			sum("due", func(c []event.Count) int64 { return in(c, countable...) }),
			sum("on_time", func(c []event.Count) int64 { return in(c, event.StateApplied, event.StateVerified) }),
			sum("missed", func(c []event.Count) int64 { return in(c, misses...) }),
			sum("waiting", func(c []event.Count) int64 { return in(c, waits...) }),
			sum("observed", func(c []event.Count) int64 { return in(c, event.StateObserved) }),
			sum("not_applied", func(c []event.Count) int64 { return in(c, event.StateNotApplied) }),
			sum("unobserved", func(c []event.Count) int64 { return in(c, event.StateUnobserved, event.StateAcknowledged) }),
			sum("start_received", func(c []event.Count) int64 { return below(c, "start/received") }),
			sum("tried", func(c []event.Count) int64 { return below(c, "tries/changes") }),
			sum("tries", func(c []event.Count) int64 { return below(c, "tries/attempts") }),
			sum("first_ok", func(c []event.Count) int64 { return below(c, "tries/first_ok") }),
			list("failed_records", func(e E, add func(uint64)) {
				for _, r := range of(e).Failed {
					add(r)
				}
			}),
			list("missed_records", func(e E, add func(uint64)) {
				for i := range of(e).Missed {
					add(of(e).Missed[i].Record)
				}
			}),
			signedList("missed_counts", func(e E, add func(int64)) {
				for i := range of(e).Missed {
					add(of(e).Missed[i].N)
				}
			}),
			at("updated_at", func(e E) event.Time { return of(e).UpdatedAt }),
			uint64s("version", func(e E) uint64 { return of(e).Version }),
		}, latencyColumns(of)...),
	})
}

// latencyColumns are the histograms: entry i of each belongs together. What
// was on time is an entry of its own, in no bucket.
func latencyColumns[E event.Event](of func(E) *event.KPIMinute) []Column {
	each := func(e E, visit func(basis string, bucket, n, onTime int64)) {
		for _, c := range of(e).Counts {
			family, rest, _ := strings.Cut(c.Name, "/")
			basis, bucket, _ := strings.Cut(rest, "/")
			switch family {
			case "latency":
				b, _ := strconv.ParseInt(bucket, 10, 64)
				visit(basis, b, c.N, 0)
			case "on_time":
				visit(basis, 0, 0, c.N)
			}
		}
	}
	return []Column{
		texts("latency_basis", func(e E) (out []string) {
			each(e, func(basis string, _, _, _ int64) { out = append(out, basis) })
			return out
		}),
		signedList("latency_bucket", func(e E, add func(int64)) { each(e, func(_ string, b, _, _ int64) { add(b) }) }),
		signedList("latency_count", func(e E, add func(int64)) { each(e, func(_ string, _, n, _ int64) { add(n) }) }),
		signedList("latency_on_time", func(e E, add func(int64)) { each(e, func(_ string, _, _, n int64) { add(n) }) }),
		counts("within_ms", func(e E) []event.Count { return within(of(e).Counts) }),
	}
}

// within is the coarsest resolution of each basis.
func within(counts []event.Count) (out []event.Count) {
	for _, c := range counts {
		rest, ok := strings.CutPrefix(c.Name, "within/")
		if !ok || c.N <= 0 {
			continue
		}
		basis, ms, _ := strings.Cut(rest, "/")
		n, _ := strconv.ParseInt(ms, 10, 64)
		if last := len(out) - 1; last >= 0 && out[last].Name == basis {
			out[last].N = max(out[last].N, n)
		} else {
			out = append(out, event.Count{Name: basis, N: n})
		}
	}
	return out
}

// others are the counts without a column that holds them one by one.
func others(counts []event.Count) []event.Count {
	out := make([]event.Count, 0, len(counts))
	for _, c := range counts {
		switch family, _, _ := strings.Cut(c.Name, "/"); family {
		case "latency", "on_time", "within":
		default:
			out = append(out, c)
		}
	}
	return out
}

// States of due deliveries, as the KPI views name them; late ones are misses.
var (
	waits     = []string{event.StateObserved, event.StateAttempted, event.StateFailed, event.StateStalled}
	misses    = append([]string{event.StateNotApplied, event.StateApplied + "/late", event.StateVerified + "/late"}, waits...)
	countable = append([]string{event.StateApplied, event.StateVerified}, misses...)
)

func writes(counts []event.Count, suffix string) (n int64) {
	for _, c := range counts {
		if rest, ok := strings.CutPrefix(c.Name, "attempts/"); ok {
			if op, _, _ := strings.Cut(rest, "/"); event.IsWrite(op) && strings.HasSuffix(rest, suffix) {
				n += c.N
			}
		}
	}
	return n
}

func below(counts []event.Count, prefix string) (n int64) {
	for _, c := range counts {
		if strings.HasPrefix(c.Name, prefix) {
			n += c.N
		}
	}
	return n
}

func in(counts []event.Count, states ...string) (n int64) {
	for _, c := range counts {
		for _, s := range states {
			if c.Name == "deliveries/"+s {
				n += c.N
			}
		}
	}
	return n
}
