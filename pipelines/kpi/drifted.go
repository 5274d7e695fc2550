package kpi

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

const (
	// shards of an object's divergences: one that changes is written whole.
	shards   = 64
	maxShard = 4096
	// month is what KPI 4 looks back on; an acceleration also looks at the week
	// before a signal that is a month old.
	month = 30 * event.Day
	week  = 7 * event.Day
	// lookEvery is how often drift and coverage, which move by the hour, are judged.
	lookEvery = 5 * event.Minute
)

// differ follows divergences through their states, record by record.
func (k *KPI) differ(p *event.Partial, c *event.DivergenceCount) {
	if c.State != event.DivergenceConfirmed && c.Was == "" {
		return // it was never confirmed
	}
	id := hashed(c.Field, c.Kind)
	for _, r := range c.Records {
		record := spread(p.Object, r)
		key := p.Integration + "/" + p.Object + "/" + strconv.FormatUint(record%shards, 10)
		if c.State != event.DivergenceConfirmed && !k.knows(key, record, id) {
			continue
		}
		if d := k.drifted.Change(key).at(record, id); d != nil {
			d.turn(c)
		}
	}
}

// spread is hashed with its low bits mixed, by which shards are chosen.
func spread(object, record string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(object + "/" + record))
	x := h.Sum64()
	return x ^ x>>29
}

func (k *KPI) knows(key string, record, id uint64) bool {
	s := k.drifted.Get(key)
	if s == nil {
		return false
	}
	_, ok := s.find(record, id)
	return ok
}

func (s *Shard) find(record, id uint64) (int, bool) {
	return slices.BinarySearchFunc(s.List, Drifted{Record: record, ID: id}, func(x, y Drifted) int {
		return cmp.Or(cmp.Compare(x.Record, y.Record), cmp.Compare(x.ID, y.ID))
	})
}

// at is the entry of a divergence, made if there is room for it.
func (s *Shard) at(record, id uint64) *Drifted {
	i, ok := s.find(record, id)
	if !ok {
		if len(s.List) >= maxShard {
			s.Full = true
			return nil
		}
		s.List = slices.Insert(s.List, i, Drifted{Record: record, ID: id})
	}
	return &s.List[i]
}

// turn takes a transition. What is found again after it was resolved is new.
func (d *Drifted) turn(c *event.DivergenceCount) {
	switch c.State {
	case event.DivergenceConfirmed:
		if d.Confirmed == 0 || !d.Hidden {
			d.Confirmed = c.Minute
		}
		d.Ended, d.Hidden, d.Pre, d.Duplicate = 0, false, c.PreExisting, c.Kind == event.Duplicate
		d.Made = max(d.Made, c.Made)
	case event.DivergenceResolved:
		d.Ended, d.Hidden = max(c.Settled, 1), false
	default:
		d.Ended, d.Hidden = c.Minute, true
	}
}

// in reports whether it was open at any time of a window.
func (d *Drifted) in(from, to event.Time) bool {
	return !d.Hidden && d.Confirmed < to && (d.Ended == 0 || d.Ended >= from)
}

// hold counts the deliveries that are not there by their deadline.
func (k *KPI) hold(p *event.Partial, c *event.DeliveryCount) {
	n := change(held(c.State, c.Late), held(c.Was, c.Late)) * c.N
	if n == 0 {
		return
	}
	hour := floor(c.Due, event.Hour)
	h := k.held.Change(hourKey(p.Integration, floor(c.Due, event.Day)))
	i, ok := slices.BinarySearchFunc(h.Hours, hour, func(x HeldHour, at event.Time) int { return cmp.Compare(x.At, at) })
	if !ok {
		h.Hours = slices.Insert(h.Hours, i, HeldHour{At: hour})
	}
	h.Hours[i].N += n
}

func held(state string, late bool) bool { return missing(state) || late && arrived(state) }

// missedIn sums them over a window; of its last hour only what is due by now.
func (k *KPI) missedIn(integration string, from, to event.Time) (n int64) {
	last := floor(to, event.Hour)
	for day := floor(from, event.Day); day < last; day += event.Day {
		h := k.held.Get(hourKey(integration, day))
		if h == nil {
			continue
		}
		for _, x := range h.Hours {
			if x.At >= floor(from, event.Hour) && x.At < last {
				n += x.N
			}
		}
	}
	k.over(integration, last, to, func(m *Minute) {
		n += m.Late
		for _, s := range m.States {
			if missing(s.State) {
				n += s.N
			}
		}
	})
	return max(n, 0)
}

// schema remembers what may speed drift up.
func (k *KPI) schema(ctx stream.Ctx, s *event.Signal) {
	switch s.Kind {
	case event.SignalSchemaChange, event.SignalPicklistChange, event.SignalMappingChange:
	default:
		return
	}
	if k.standing.Get(s.Integration) == nil || s.StartedAt < ctx.Now-month {
		return
	}
	x := k.standing.Change(s.Integration)
	i, known := slices.BinarySearchFunc(x.Schema, s.StartedAt, func(x Schema, at event.Time) int { return cmp.Compare(x.At, at) })
	if !known && len(x.Schema) < maxSignals {
		x.Schema = slices.Insert(x.Schema, i, Schema{At: s.StartedAt, Summary: s.Summary})
	}
}

// maxSignals bounds what a month may hold: more of them explain nothing.
const maxSignals = 256

// trim forgets once a day what no window needs any more.
func (k *KPI) trim(id string, s *Standing, end event.Time) {
	if end-s.Pruned < event.Day {
		return
	}
	s.Pruned = end
	s.Schema = slices.DeleteFunc(s.Schema, func(x Schema) bool { return x.At < end-month })
	for _, key := range slices.Clone(under(k.drifted.Keys(), id)) {
		old := func(d Drifted) bool { return d.Ended != 0 && d.Ended < end-month-week-event.Day }
		if !slices.ContainsFunc(k.drifted.Get(key).List, old) {
			continue
		}
		x := k.drifted.Change(key)
		if x.List, x.Full = slices.DeleteFunc(x.List, old), false; len(x.List) == 0 {
			k.drifted.Delete(key)
		}
	}
	for _, key := range slices.Clone(under(k.held.Keys(), id)) {
		if key < hourKey(id, end-month-2*event.Day) {
			k.held.Delete(key)
		}
	}
}

// under are the keys of an integration.
func under(keys []string, integration string) []string {
	from, _ := slices.BinarySearch(keys, integration+"/")
	to, _ := slices.BinarySearch(keys, integration+"0") // what follows a slash
	return keys[from:to]
}
