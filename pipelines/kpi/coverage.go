package kpi

import (
	"cmp"
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// Defaults of kpis.md 5.
const (
	coverageTarget = 0.95
	staleAfter     = 1.5 // schedules
	maxSets        = 2048
	maxRuns        = 1024
)

// comparison takes over how a set stands, and what a run compared.
func (k *KPI) comparison(ctx stream.Ctx, e *event.Reconciliation) {
	c := k.compared.Change(e.Integration + "/" + e.Object)
	c.stands(e)
	if e.Field != "" || e.State != event.RunComplete && e.State != event.RunSampled {
		return
	}
	c.Runs = slices.DeleteFunc(c.Runs, func(r Run) bool { return r.ID == e.Run || r.At < ctx.Now-month-event.Hour })
	if len(c.Runs) >= maxRuns {
		c.Runs = c.Runs[1:]
	}
	c.Runs = append(c.Runs, Run{ID: e.Run, At: e.StartedAt, Compared: e.Compared, Records: e.SourceRecords + e.MissingInSource})
}

// stands keeps the newest row of each set.
func (c *Compared) stands(e *event.Reconciliation) {
	i, known := slices.BinarySearchFunc(c.Sets, e.Field, func(s Set, f string) int { return strings.Compare(s.Field, f) })
	switch {
	case !known && len(c.Sets) >= maxSets:
		return
	case !known:
		c.Sets = slices.Insert(c.Sets, i, Set{Field: e.Field, Since: e.UpdatedAt})
	case cmp.Or(cmp.Compare(e.UpdatedAt, c.Sets[i].UpdatedAt), cmp.Compare(e.Version, c.Sets[i].Version)) < 0:
		return // an older one
	}
	s := &c.Sets[i]
	if e.State == event.RunInvalidated {
		s.Since = e.UpdatedAt // it begins anew
	}
	s.State, s.Critical, s.Schedule, s.Through, s.Share = e.State, e.Critical, e.ScheduleMS, e.ComparedThrough, e.Share
	s.UpdatedAt, s.Version = e.UpdatedAt, e.Version
}

// objects visits what is compared of an integration.
func (k *KPI) objects(integration string, visit func(object string, c *Compared)) {
	for _, key := range under(k.compared.Keys(), integration) {
		visit(key[len(integration)+1:], k.compared.Get(key))
	}
}

// lookedAt are the records that runs compared at least once in a window, and
// those there were: of each object the largest run, and the newest. Last is when
// each object's newest began.
func (k *KPI) lookedAt(integration string, from, to event.Time) (compared, records int64, last map[string]event.Time) {
	last = map[string]event.Time{}
	k.objects(integration, func(object string, c *Compared) {
		var most, newest Run
		for _, r := range c.Runs {
			if r.At < from || r.At >= to {
				continue
			}
			if r.Compared > most.Compared {
				most = r
			}
			if r.At >= newest.At {
				newest = r
			}
		}
		if most.Compared > 0 {
			last[object] = newest.At
		}
		compared += most.Compared
		records += newest.Records
	})
	return compared, records, last
}

// CoverageMeasure is KPI 5 with what is missing.
type CoverageMeasure struct {
	Measure
	Covered float64  // sets, each by its share
	Gaps    []string // sets that are not compared in time
	Young   bool     // all of those are in their first schedule
}

// Coverage judges KPI 5 at an instant.
func (k *KPI) Coverage(in *config.Integration, at event.Time) CoverageMeasure {
	m := CoverageMeasure{Young: true, Measure: Measure{Target: in.Threshold(config.ThresholdCoverage, coverageTarget), Warning: 1}}
	fresh := 0
	k.objects(in.ID, func(object string, c *Compared) {
		for i := range c.Sets {
			s := &c.Sets[i]
			if s.State == event.RunRemoved || s.State == event.RunExcluded {
				continue
			}
			late := staleAfter * float64(s.Schedule)
			ok := s.Through != 0 && float64(at-s.Through) < late
			if ok {
				fresh++
			}
			if !s.Critical {
				continue
			}
			m.Denominator++
			if ok {
				m.Covered += s.Share
				continue
			}
			m.Young = m.Young && s.Through == 0 && float64(at-s.Since) < late
			m.Gaps = append(m.Gaps, name(object, s.Field))
		}
	})
	slices.Sort(m.Gaps)
	m.Numerator = int64(m.Covered)
	switch {
	case m.Denominator == 0 && fresh == 0:
		m.Status, m.Reason = statusUnknown, reasonNoData
		return m
	case m.Denominator == 0:
		m.Status, m.Reason = statusUnknown, reasonNotObserved
		return m
	}
	m.Value, m.HasValue, m.Fired = m.Covered/float64(m.Denominator), true, len(m.Gaps) > 0
	switch {
	case m.Value <= m.Target:
		m.Status = statusBreach
	case m.Fired:
		m.Status = statusWarning
	default:
		m.Status = statusOK
	}
	return m
}

func name(object, field string) string {
	if field == "" {
		return object
	}
	return object + "." + field
}
