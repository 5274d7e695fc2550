package reconcile

import (
	"context"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/match"
)

// skew is how far two systems' clocks may disagree.
const skew = 5 * event.Second

// verdict looks at suspects, tells the ledger, and counts. It confirms
// nothing: in flight or not is for the numbers of this run only.
type verdict struct {
	x        *run
	seen     match.Seen
	grace    event.Time // what changed within may be under way
	accepted map[string]bool

	different, inFlight, missing, orphans, duplicates, equal, outOfScope, acceptedRecords int64
	flying                                                                                int64 // missing or orphaned, too young to tell
	fields                                                                                []fieldCount
	examples                                                                              []Example
}

// fieldCount is what one field's values were.
type fieldCount struct {
	different, inFlight, accepted int64
	how                           map[string]int64
}

// Example is one difference, for people.
type Example struct {
	Kind, SourceID, TargetID, Field, How, Source, Target string
}

func newVerdict(x *run) *verdict {
	v := &verdict{
		x: x, seen: match.Seen{By: event.FoundByReconcile, Run: x.state.ID, Now: x.r.o.now()},
		grace:  event.Time(time.Duration(x.s.Integration.Deadline).Milliseconds()),
		fields: make([]fieldCount, len(x.s.Object.Fields)), accepted: map[string]bool{},
	}
	for i := range v.fields {
		v.fields[i].how = map[string]int64{}
	}
	return v
}

// prepare reads what named persons accepted: it blocks no watermark.
func (v *verdict) prepare(ctx context.Context) error {
	var rows []struct {
		Key   string `ch:"record_key"`
		Field string `ch:"field"`
	}
	s := v.x.s
	err := v.x.r.o.Warehouse.Query(ctx, &rows, "SELECT record_key, field FROM divergences WHERE tenant = ? AND integration = ? AND object = ? "+
		"AND state = 'accepted'", s.Integration.Tenant, s.Integration.ID, s.Object.Name)
	for _, r := range rows {
		v.accepted[r.Key+"\x1f"+r.Field] = true
	}
	return err
}

func (v *verdict) isAccepted(sourceID, source, target string) bool {
	return v.accepted[sourceID+"\x1f"+source] || v.accepted[sourceID+"\x1f"+target]
}

// look judges a batch: what moved while both sides were read is read again,
// what one side lacks is looked for by its key.
func (v *verdict) look(ctx context.Context, list []suspect) error {
	if len(list) == 0 {
		return nil
	}
	if err := v.again(ctx, list); err != nil {
		return err
	}
	if err := v.find(ctx, list, event.Target); err != nil {
		return err
	}
	if err := v.find(ctx, list, event.Source); err != nil {
		return err
	}
	v.seen.Now = v.x.r.o.now()
	var out []bus.Message
	for i := range list {
		out = append(out, v.judge(&list[i])...)
	}
	return v.x.r.o.Producer.Produce(ctx, out...)
}

// moved reports whether one side may have changed between the two readings.
func moved(a, b *match.Row) bool {
	return a.ModifiedAt+skew >= b.ReadAt || b.ModifiedAt+skew >= a.ReadAt
}

func (v *verdict) again(ctx context.Context, list []suspect) error {
	var sources, targets []string
	for i := range list {
		if s := &list[i]; len(s.sources) == 1 && len(s.targets) == 1 && moved(&s.sources[0], &s.targets[0]) {
			sources, targets = append(sources, s.sources[0].ID), append(targets, s.targets[0].ID)
		}
	}
	newer := map[string]map[string]match.Row{event.Source: {}, event.Target: {}}
	for side, list := range map[string][]string{event.Source: sources, event.Target: targets} {
		if err := v.x.patient(ctx, func() error { return v.x.r.readInto(ctx, v.x.s, side, list, newer[side]) }); err != nil {
			return err
		}
	}
	for i := range list {
		s := &list[i]
		if len(s.sources) != 1 || len(s.targets) != 1 || !moved(&s.sources[0], &s.targets[0]) {
			continue
		}
		s.sources = renewed(s.sources[0], newer[event.Source])
		s.targets = renewed(s.targets[0], newer[event.Target])
	}
	return nil
}

// renewed is the row as it is now; none if it was deleted meanwhile.
func renewed(row match.Row, newer map[string]match.Row) []match.Row {
	if now, ok := newer[row.ID]; ok {
		return []match.Row{now}
	}
	return nil
}

// find looks on one side for the counterparts of rows that seem to have none
// there: they may have come after the page was read.
func (v *verdict) find(ctx context.Context, list []suspect, side string) error {
	var alone []match.Row
	at := map[string]int{}
	for i := range list {
		s := &list[i]
		mine, theirs := s.sources, s.targets
		if side == event.Source {
			mine, theirs = s.targets, s.sources
		}
		if len(mine) == 1 && len(theirs) == 0 {
			alone = append(alone, mine[0])
			at[mine[0].ID] = i
		}
	}
	alone, err := v.fresh(ctx, alone)
	if err != nil {
		return err
	}
	still := map[string]match.Row{}
	for _, row := range alone {
		still[row.ID] = row
	}
	for id, i := range at { // as it is now; nothing, if it was deleted meanwhile
		rows := renewed(match.Row{ID: id}, still)
		if s := &list[i]; side == event.Source {
			s.targets = rows
		} else {
			s.sources = rows
		}
	}
	var found map[string][]match.Row
	err = v.x.patient(ctx, func() (err error) { found, err = v.x.r.others(ctx, v.x.s, side, alone); return err })
	if err != nil {
		return err
	}
	for id, rows := range found {
		if s := &list[at[id]]; side == event.Source {
			s.sources = rows
		} else {
			s.targets = rows
		}
	}
	return nil
}

// fresh reads rows again: staged ones do not hold the values to look for.
func (v *verdict) fresh(ctx context.Context, rows []match.Row) ([]match.Row, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var out []match.Row
	err := v.x.patient(ctx, func() (err error) {
		out, err = v.x.s.Read(ctx, v.x.s.sides[rows[0].Side].reader, rows[0].Side, ids(rows), v.x.r.o.now)
		return err
	})
	return out, err
}
