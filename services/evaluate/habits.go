package evaluate

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
)

// maxRepeats is how often a permanent error may be repeated before it is told.
const maxRepeats = 3

// leastEarly are tries too early that are not worth an alert.
const leastEarly = 3

// chain is what was tried with one record: the worker names no changes.
type chain struct {
	tries, permanent int
	failed, retried  bool // the last one failed; one after a failure
	last             *truth.Line
}

// habits are the truth's chains by integration, as they were reported.
func (w *World) habits() map[string]Habits {
	chains, out := map[place]*chain{}, map[string]Habits{}
	for _, l := range sorted(w.Attempts, func(l *truth.Line) int64 { return int64(l.At) }) {
		if !l.Reported || !event.IsWrite(l.Operation) {
			continue
		}
		p := place{integration: l.Sync, object: l.Object, id: l.SourceID}
		if chains[p] == nil {
			chains[p] = &chain{}
		}
		c := chains[p]
		h := out[p.integration]
		if c.failed && ambiguous(c.last) && l.Operation == event.OpCreate && l.Keyless {
			h.Unsafe++
		}
		if c.failed && l.At-c.last.At < truth.Time(1000*c.last.RetryAfter) {
			h.Early++
		}
		out[p.integration], c.last = h, l
		c.tries++
		c.retried = c.retried || c.failed
		c.failed = l.Outcome == event.OutcomeError && l.Cause != "swallowed_errors" // of those it says that they went well
		c.permanent += boolInt(c.failed && l.Recoverability == event.Permanent)
	}
	for p, c := range chains {
		h := out[p.integration]
		h.Attempts += uint64(c.tries) //nolint:gosec // counted
		h.Records++
		h.Retried += uint64(boolInt(c.retried))                 //nolint:gosec // 0 or 1
		h.Repeated += uint64(boolInt(c.permanent > maxRepeats)) //nolint:gosec // 0 or 1
		out[p.integration] = h
	}
	return out
}

// ambiguous reports whether a create may have been carried out although it failed.
func ambiguous(l *truth.Line) bool {
	return l.Operation == event.OpCreate && slices.Contains([]int{0, 408, 502, 504}, l.Status)
}

// worst adds a row of how far a count is off where it is off most.
func (s *sheet) worst(group, name string, of []string, said, was func(integration string) uint64) {
	r := Row{Group: group, Name: name, Unit: Relative}
	for _, integration := range of {
		a, b := float64(said(integration)), float64(was(integration))
		r.Measured = true
		if off := math.Abs(a-b) / max(b, 1); off >= r.Value {
			r.Value, r.Note = off, fmt.Sprintf("said %s, was %s", short(a), short(b))
		}
	}
	s.rows = append(s.rows, r)
}

// retries scores how the sync tries again, and whether a storm of one poison
// record shows.
func (s *sheet) retries(w *World, f *Findings) {
	storms, seen := 0, 0
	for _, x := range w.Faults {
		if x.Cause == "retry_storm" {
			storms++
			seen += boolInt(f.Retries[x.Sync].Repeated > 0)
		}
	}
	s.share(GroupRetries, "storms seen", seen, storms)
	was := w.habits()
	harmful, told := 0, 0
	for in, h := range was {
		if h.Unsafe > 0 || h.Early > leastEarly {
			harmful++
			told += boolInt(slices.ContainsFunc(f.Alerts, func(a Alert) bool { return a.Rule == event.RuleRetry && a.Integration == in }))
		}
	}
	s.share(GroupRetries, "harm told", told, harmful)
	of := slices.Sorted(maps.Keys(was))
	for _, c := range []struct {
		name string
		of   func(Habits) uint64
	}{
		{"attempts error", func(h Habits) uint64 { return h.Attempts }},
		{"records error", func(h Habits) uint64 { return h.Records }},
		{"retried error", func(h Habits) uint64 { return h.Retried }},
		{"permanent repeated error", func(h Habits) uint64 { return h.Repeated }},
		{"unsafe creates error", func(h Habits) uint64 { return h.Unsafe }},
		{"early retries error", func(h Habits) uint64 { return h.Early }},
	} {
		s.worst(GroupRetries, c.name, of, func(in string) uint64 { return c.of(f.Retries[in]) }, func(in string) uint64 { return c.of(was[in]) })
	}
}

// surface compares what each integration touched in the source.
func (s *sheet) surface(w *World, f *Findings) {
	records, objects := map[string]map[string]bool{}, map[string]map[string]bool{}
	note := func(set map[string]map[string]bool, in, what string) {
		if set[in] == nil {
			set[in] = map[string]bool{}
		}
		set[in][what] = true
	}
	for _, c := range w.Changes {
		note(records, c.Sync, c.Object+c.SourceID)
		note(objects, c.Sync, c.Object)
	}
	shared := w.shared()
	of := slices.DeleteFunc(slices.Sorted(maps.Keys(records)), func(in string) bool { return f.Surface[in].Records == 0 })
	s.worst(GroupSurface, "records error", of, func(in string) uint64 { return f.Surface[in].Records }, func(in string) uint64 { return uint64(len(records[in])) })
	s.worst(GroupSurface, "objects error", of, func(in string) uint64 { return f.Surface[in].Objects }, func(in string) uint64 { return uint64(len(objects[in])) })
	s.worst(GroupSurface, "shared fields error", of, func(in string) uint64 { return f.Surface[in].Shared }, func(in string) uint64 { return shared[in] })
}

// shared counts the mapped fields of the source that more than one hand wrote.
func (w *World) shared() map[string]uint64 {
	type field struct{ integration, object, name string }
	writers := map[field]map[string]bool{}
	for _, c := range w.Changes {
		for _, name := range c.Fields {
			k := field{c.Sync, c.Object, name}
			if writers[k] == nil {
				writers[k] = map[string]bool{}
			}
			writers[k][c.Actor] = true
		}
	}
	out := map[string]uint64{}
	for k, by := range writers {
		if len(by) > 1 {
			out[k.integration]++
		}
	}
	return out
}
