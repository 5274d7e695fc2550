package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// link says which record of the target this is, that several claim to be, or that
// the record was merged into another.
func (f *folding) link(l *event.Link) {
	switch {
	case f.m == nil:
	case isOrphan(f.key): // it is none any more: its own record carries on
		f.close(func(*Gap) bool { return true }, event.DivergenceResolved)
	case l.MovedTo != "": // only the survivor's system told of it
		f.mergedAway(mergedInto+l.MovedTo, l.LearnedAt)
	case l.Rival != "":
		if !slices.Contains(f.r.Rivals, l.Rival) {
			f.r.Rivals = append(f.r.Rivals, l.Rival)
			f.duplicate(event.Target, l.Rival, l.LearnedFrom)
		}
	default:
		f.r.TargetID = l.TargetID
	}
}

// duplicates takes what reconcile says, which has looked through a whole
// system: these other records of it have the same key, and no more.
func (f *folding) duplicates(b *event.Observation) {
	if b.FoundBy != event.FoundByReconcile || isOrphan(f.key) || b.Missing {
		return
	}
	f.close(func(g *Gap) bool {
		side, id := g.twin()
		return id != "" && side == b.Side && !slices.Contains(b.Duplicates, id)
	}, event.DivergenceResolved)
	if b.Side == event.Target {
		f.r.Rivals = slices.DeleteFunc(f.r.Rivals, func(id string) bool { return !slices.Contains(b.Duplicates, id) })
	}
	for _, id := range b.Duplicates {
		if b.Side == event.Target && !slices.Contains(f.r.Rivals, id) {
			f.r.Rivals = append(f.r.Rivals, id)
		}
		f.duplicate(b.Side, id, b.FoundBy)
	}
}

// extra reports whether a comparison shows a copy of nothing that was once
// linked here, while another one is this record's: what it holds says nothing.
func (f *folding) extra(b *event.Observation) bool {
	return b.Side == event.Target && isOrphan(b.ExternalID) && !isOrphan(f.key) && f.r.TargetID != "" && f.r.TargetID != b.RecordID
}

// twin is the other record that a duplicate is about, and its system.
func (g *Gap) twin() (side, id string) {
	switch {
	case g.D.Kind != event.Duplicate:
		return "", ""
	case g.D.TargetID != "":
		return event.Target, g.D.TargetID
	}
	return event.Source, g.D.SourceID
}

// duplicate notes another record of a system that claims to be this one. Each
// counts by itself, under a key of its own.
func (f *folding) duplicate(side, id, foundBy string) {
	known := slices.ContainsFunc(f.r.Gaps, func(g Gap) bool {
		at, twin := g.twin()
		return at == side && twin == id
	})
	if known || len(f.r.Gaps) >= maxGaps {
		return
	}
	in, key := f.m.integration, duplicatePrefix+id
	g := Gap{Moved: f.clock, D: event.Divergence{
		ID: event.DivergenceID(in.ID, f.m.object.Name, key, "", event.Duplicate), Tenant: in.Tenant, Integration: in.ID,
		Object: f.m.object.Name, RecordKey: key, SourceID: f.key, TargetID: id, Kind: event.Duplicate,
		Class: event.ClassDuplicate, State: event.DivergencePending, FirstSeenAt: f.clock, FoundBy: foundBy,
	}}
	if side == event.Source {
		g.D.SourceID, g.D.TargetID = id, ""
	}
	f.r.Gaps = append(f.r.Gaps, g)
	at := &f.r.Gaps[len(f.r.Gaps)-1]
	f.update(at, func() { at.D.State, at.D.ConfirmedAt = event.DivergenceConfirmed, f.clock })
}
