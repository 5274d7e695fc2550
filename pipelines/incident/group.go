package incident

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

const (
	// joinFor is how long after its last trouble an incident without a word
	// from the vendor takes in more: what differs a day later has a cause of
	// its own.
	joinFor = 6 * event.Hour
	// shadow is how long after a provider's last refusal what was held up by
	// it may come to light.
	shadow = 2 * event.Minute
	// slack is how far two clocks may be apart.
	slack      = event.Minute
	maxMembers = 64
)

// Natures of silent troubles: a value that arrived as another one, or a write
// that left no trace. Neither is known of every one.
const (
	bent = "bent"
	lost = "lost"
)

// group says what is one trouble to a person: they would rather see one that
// names its five fields than five.
type group struct {
	kind        string
	name        string // of the group, within an integration
	fingerprint string // of one more like it: stable over months
	nature      string
	onset       event.Time
}

// outageClasses are the ways in which a provider does not let anybody in.
var outageClasses = []string{event.ClassAuth, event.ClassVendorOutage, event.ClassNetwork}

// reaches reports whether a class of failure hits whatever is written.
func reaches(class string) bool {
	return class == event.ClassRateLimit || slices.Contains(outageClasses, class)
}

// refused groups failures. Where nothing gets through it is one trouble,
// whatever the object and however the refusals read; else it is the object's.
func refused(p *event.Partial, c *event.FailureCount) group {
	g := group{kind: event.IncidentOfFailures, onset: c.First}
	switch {
	case c.Class == event.ClassRateLimit:
		g.name = "limit/" + p.Provider + "/" + p.Token
	case reaches(c.Class):
		g.name = "access/" + p.Provider + "/" + p.Token
	case c.Fingerprint != "" && (c.Code == "" || c.Class == event.ClassOther):
		g.name, g.fingerprint = c.Class+"/"+p.Object+"/"+c.Fingerprint, c.Fingerprint
		return g
	default:
		g.name = c.Class + "/" + p.Provider + "/" + p.Object + "/" + c.Code
	}
	g.fingerprint = event.Hash("incident", g.name, c.Class)
	return g
}

// silenced groups silent failures: all of an integration are one trouble, but
// for values that are bent in transit, which is another than losing them.
func silenced(c *event.FailureCount) group {
	g := group{kind: event.IncidentOfSilence, onset: c.First}
	switch {
	case slices.Contains(bentBy, c.Code):
		g.nature = bent
	case strings.HasSuffix(c.Rule, "/"+event.Stale) || strings.HasSuffix(c.Rule, "/"+event.MissingInTarget):
		g.nature = lost
	}
	g.name = g.kind
	g.fingerprint = event.Hash("incident", g.kind, cmp.Or(g.nature, lost))
	return g
}

// bentBy are differences that no lost write leaves behind (value.Difference).
var bentBy = []string{"truncated", "coerced", "format_only", "blank_in_target"}

// differing groups divergences that no delivery explains.
func differing(c *event.DivergenceCount) group {
	g := group{kind: event.IncidentOfDivergence, onset: c.First, name: "differs"}
	switch c.Kind {
	case event.Duplicate, event.MissingInSource:
		g.name = c.Kind
	}
	g.fingerprint = event.Hash("incident", g.kind, g.name)
	return g
}

// of is the case of a group, made if there is room for it.
func (n *Incidents) of(ctx stream.Ctx, p *event.Partial, g group) *Case {
	open := 0
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.I.Integration != p.Integration {
			continue
		}
		open++
		if c.takes(ctx, g) {
			c = n.cases.Change(key)
			c.Nature = cmp.Or(c.Nature, g.nature)
			return c
		}
	}
	if open >= maxOpenCases {
		return nil
	}
	key := p.Integration + "/" + g.name + "/" + g.nature + "/" + strconv.FormatUint(ctx.Version, 10)
	c := n.cases.Change(key)
	c.Group, c.Nature = g.name, g.nature
	c.I = event.Incident{
		Tenant: p.Tenant, Integration: p.Integration, Object: p.Object, Fingerprint: g.fingerprint, Kind: g.kind,
		State: event.IncidentOpen, Priority: event.P2, OnsetAt: max(g.onset, 1), DetectedAt: max(ctx.Now, g.onset, 1),
	}
	return c
}

// takes reports whether a case takes in more of a group.
func (c *Case) takes(ctx stream.Ctx, g group) bool {
	if c.Group != g.name || c.I.Kind != g.kind || c.Nature != "" && g.nature != "" && c.Nature != g.nature {
		return false
	}
	return g.kind == event.IncidentOfFailures || ctx.Now-c.I.LastAt <= joinFor
}

// holdsBack reports whether a difference is what a write leaves behind that did
// not get through. A value of the target's own is not: somebody edited it.
func holdsBack(kind string) bool { return kind == event.Stale || kind == event.MissingInTarget }

// over is the incident of a provider that lets nobody in, if what began at
// onset and was not written has come about under it.
func (n *Incidents) over(integration string, onset event.Time) *Case {
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.Opened && c.I.Integration == integration && c.I.Kind == event.IncidentOfFailures && reaches(c.I.Class) &&
			onset >= c.I.OnsetAt-slack && onset <= c.I.LastAt+shadow {
			return n.cases.Change(key)
		}
	}
	return nil
}

// silence is the open incident of silent failures under which a record that
// differs since onset counts.
func (n *Incidents) silence(ctx stream.Ctx, integration string, onset event.Time) *Case {
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.Opened && c.I.Integration == integration && c.I.Kind == event.IncidentOfSilence && c.Nature != bent &&
			onset >= c.I.OnsetAt-slack && ctx.Now-c.I.LastAt <= joinFor {
			return n.cases.Change(key)
		}
	}
	return nil
}

// count adds to a named number.
func count(list []Member, name string, n int64) []Member {
	i, ok := slices.BinarySearchFunc(list, name, func(m Member, s string) int { return strings.Compare(m.Name, s) })
	if !ok {
		if len(list) >= maxMembers {
			return list
		}
		list = slices.Insert(list, i, Member{Name: name})
	}
	list[i].N += n
	return list
}

// most lists names, the most frequent first.
func most(list []Member) []string {
	by := slices.Clone(list)
	slices.SortStableFunc(by, func(a, b Member) int { return cmp.Compare(b.N, a.N) })
	names := make([]string, len(by))
	for i := range by {
		names[i] = by[i].Name
	}
	return names
}
