package kpi

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// maxCounts bounds the sums of one row: what holds more is told in several.
const maxCounts = 4096

// both are the additions to a minute and to its hour: what is read over weeks
// is read by the hour.
type both [2]*Open

// to finds the additions to a minute, begun if there are none.
func (k *KPI) to(p *event.Partial, series string, at event.Time) both {
	b := both{k.minutes.Change(openKey(p, series, at)), k.wholes.Change(openKey(p, series, floor(at, event.Hour)))}
	b[0].Tenant, b[1].Tenant = p.Tenant, p.Tenant
	return b
}

func openKey(p *event.Partial, series string, at event.Time) string {
	return p.Integration + "/" + stamp(at) + "/" + series + "/" + p.Object
}

func (b both) add(name string, n int64) {
	if n == 0 {
		return
	}
	for _, o := range b {
		i, ok := slices.BinarySearchFunc(o.Counts, name, func(c event.Count, s string) int { return strings.Compare(c.Name, s) })
		if !ok {
			o.Counts = slices.Insert(o.Counts, i, event.Count{Name: name})
		}
		if o.Counts[i].N += n; o.Counts[i].N == 0 {
			o.Counts = slices.Delete(o.Counts, i, i+1)
		}
	}
}

// failed names a record with a failure of its own.
func (b both) failed(record uint64) {
	for _, o := range b {
		if len(o.Failed) < event.MaxNamed && !slices.Contains(o.Failed, record) {
			o.Failed = append(o.Failed, record)
		}
	}
}

// missed names a record that became a miss, or is none any more.
func (b both) missed(record uint64, n int64) {
	for _, o := range b {
		i := slices.IndexFunc(o.Missed, func(c event.RecordCount) bool { return c.Record == record })
		switch {
		case i < 0 && len(o.Missed) < event.MaxNamed:
			o.Missed = append(o.Missed, event.RecordCount{Record: record, N: n})
		case i >= 0:
			if o.Missed[i].N += n; o.Missed[i].N == 0 {
				o.Missed = slices.Delete(o.Missed, i, i+1)
			}
			if len(o.Missed) == 0 {
				o.Missed = nil // as it is read back
			}
		}
	}
}

// hashed stands for a record where only the number of different ones counts.
func hashed(object, record string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(object + "/" + record))
	return h.Sum64()
}

// tell emits what was added to minutes and to hours that are over. What is due
// later is told as well: it waits, and the views say how long.
func (k *KPI) tell(ctx stream.Ctx, end event.Time, out *stream.Out) {
	k.emit(ctx, k.minutes, "minute", out, func(at event.Time) bool { return at < end || at >= end+2*event.Minute })
	k.emit(ctx, k.wholes, "hour", out, func(at event.Time) bool { return at+event.Hour <= end })
}

func (k *KPI) emit(ctx stream.Ctx, open *stream.Table[Open, *Open], span string, out *stream.Out, over func(event.Time) bool) {
	for _, key := range slices.Clone(open.Keys()) {
		part := strings.SplitN(key, "/", 4)
		if len(part) < 4 { // begun by a version that knew no series
			part = []string{part[0], part[1], "", part[2]}
		}
		ms, _ := strconv.ParseInt(part[1], 10, 64)
		at := event.Time(ms)
		if !over(at) {
			continue
		}
		o := open.Get(key)
		for n := 0; len(o.Counts)+len(o.Failed)+len(o.Missed) > 0; n++ {
			most := min(maxCounts, len(o.Counts))
			row := &event.KPIMinute{
				ID:     event.Hash("kpi_"+span, key, strconv.FormatInt(int64(ctx.Now), 10), strconv.Itoa(n)),
				Tenant: o.Tenant, Integration: part[0], Series: part[2], Object: part[3], Minute: at,
				Counts: slices.Clone(o.Counts[:most]), Failed: o.Failed, Missed: o.Missed, UpdatedAt: ctx.Now, Version: ctx.Version,
			}
			o = &Open{Tenant: o.Tenant, Counts: o.Counts[most:]}
			if span == "hour" {
				out.Emit(topic.KPIs, part[0], (*event.KPIHour)(row))
			} else {
				out.Emit(topic.KPIs, part[0], row)
			}
		}
		open.Delete(key)
	}
}
