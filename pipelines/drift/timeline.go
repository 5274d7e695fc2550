package drift

import (
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// few is how much a machine must write before it is a candidate unannounced.
const few = 5

// runsApart is how long a machine must rest before what it does next is
// another piece of work, where it names no runs.
const runsApart = 30 * event.Minute

// explains are the kinds of signal that may be a cause.
var explains = map[string]bool{
	event.SignalVendorIncident: true, event.SignalSchemaChange: true, event.SignalPicklistChange: true, event.SignalMappingChange: true,
	event.SignalDeploy: true, event.SignalTokenRotation: true, event.SignalScopeChange: true, event.SignalBulkImport: true,
	event.SignalAgentRun: true, event.SignalQuota: true, event.SignalSourceLossy: true,
}

// names lead from what each side calls objects and fields to the source's name.
type names struct{ objects, fields map[string]string }

func newNames(integrations []config.Integration) names {
	n := names{objects: map[string]string{}, fields: map[string]string{}}
	for i := range integrations {
		in := &integrations[i]
		for j := range in.Objects {
			o := &in.Objects[j]
			for _, called := range append([]string{o.Name, o.Source}, o.Target...) {
				n.objects[in.ID+sep+strings.ToLower(called)] = o.Name
			}
			for _, f := range o.Fields {
				n.field(in.ID, o.Name, f.Target, f.Source)
			}
			for _, f := range o.Fields { // the source's own names last: they win
				n.field(in.ID, o.Name, f.Source, f.Source)
			}
		}
	}
	return n
}

func (n names) field(integration, object, called, source string) {
	n.fields[strings.Join([]string{integration, object, strings.ToLower(called)}, sep)] = source
}

// of returns the integration's own words, or those given where it has none.
func (n names) of(integration, object, field string) (ownObject, ownField string) {
	if o, ok := n.objects[integration+sep+strings.ToLower(object)]; ok {
		object = o
	}
	if f, ok := n.fields[strings.Join([]string{integration, object, strings.ToLower(field)}, sep)]; ok {
		field = f
	}
	return object, field
}

func (d *Drift) signal(s *event.Signal) {
	if !explains[s.Kind] || s.Integration == "" {
		return
	}
	c := Candidate{ID: s.ID, Kind: s.Kind, System: s.System, Start: s.StartedAt, End: s.EndedAt, What: s.Summary}
	c.Object, c.Field = d.names.of(s.Integration, s.Object, s.Field)
	if machine(s.Actor) && (s.Kind == event.SignalBulkImport || s.Kind == event.SignalAgentRun) {
		c.By = s.Actor
	}
	if v, ok := event.Find(s.Detail, "removed"); ok && v.Text != "" {
		c.Removed = strings.Split(v.Text, ";")
	}
	if v, ok := event.Find(s.Detail, "seen_at"); ok { // between two looks
		if at, err := time.Parse(time.RFC3339Nano, v.Text); err == nil {
			c.Latest = event.At(at)
			d.undone(s, &c)
		}
	}
	if v, ok := event.Find(s.Detail, "ends_at"); ok && s.Kind == event.SignalQuota { // told ahead of time
		if at, err := time.Parse(time.RFC3339Nano, v.Text); err == nil {
			c.Start = event.At(at)
		}
	}
	d.candidate(s.Tenant, s.Integration, c)
}

// undone ends what an earlier look had seen of the same field: it has changed
// again. A field that came back under its name is the same.
func (d *Drift) undone(s *event.Signal, c *Candidate) {
	field := c.Field
	if v, ok := event.Find(s.Detail, "after"); ok {
		if _, own := d.names.of(s.Integration, s.Object, v.Text); own != v.Text {
			field = own
		}
	}
	for _, key := range slices.Clone(under(d.causes.Keys(), s.Integration)) {
		was := d.causes.Get(key)
		if was.Latest == 0 || was.End != 0 || was.Start >= c.Start || was.System != c.System || was.Object != c.Object || was.Field != field {
			continue
		}
		d.causes.Change(key).End = c.Latest
	}
}

func (d *Drift) verdict(v *event.CauseVerdict) {
	if v.Integration == "" || !v.Decided {
		return
	}
	what := v.Provider + ": " + strings.ReplaceAll(v.Class, "_", " ")
	if v.Attribution == event.ByVendor {
		what = v.Provider + " failed, a vendor outage"
	}
	d.candidate(v.Tenant, v.Integration, Candidate{
		ID: v.ID, Kind: event.CauseVerdictKind, System: v.Provider, Start: v.Start, End: v.End, What: what, Step: v.FirstStep,
	})
}

// activity makes a candidate of a machine at work, announced or not.
func (d *Drift) activity(a *event.Activity) {
	if !machine(a.Actor) || a.Writes == 0 || a.Integration == "" {
		return
	}
	key := a.Integration + sep + "run" + sep + crowd(a.Actor)
	c := d.causes.Get(key)
	if c != nil && a.Actor.Run == "" && a.First > c.End+runsApart {
		d.causes.Delete(key)
		d.books.Change(a.Integration).Causes--
		c = nil
	}
	if c == nil && !d.room(a.Integration, a.Tenant) {
		return
	}
	c = d.causes.Change(key)
	if c.ID == "" {
		*c = Candidate{ID: event.Hash("run", a.Integration, crowd(a.Actor), a.First.String()), Kind: event.SignalAgentRun, By: a.Actor, Start: a.First}
		if a.Actor.Kind == event.ActorImport {
			c.Kind = event.SignalBulkImport
		}
	}
	c.Start, c.End = min(c.Start, a.First), max(c.End, a.Last)
	c.Writes += a.Writes
}

func (d *Drift) candidate(tenant, integration string, c Candidate) {
	key := integration + sep + "told" + sep + c.ID
	if d.causes.Get(key) == nil && !d.room(integration, tenant) {
		return
	}
	*d.causes.Change(key) = c
	b := d.books.Change(integration)
	b.Changed = b.Changed || b.Cells > 0
}

// room makes room for one more candidate: the one that began first goes.
func (d *Drift) room(integration, tenant string) bool {
	b := d.books.Change(integration)
	b.Tenant = tenant
	if b.Causes < maxCauses {
		b.Causes++
		return true
	}
	oldest := ""
	for _, key := range under(d.causes.Keys(), integration) {
		if oldest == "" || d.causes.Get(key).Start < d.causes.Get(oldest).Start {
			oldest = key
		}
	}
	d.causes.Delete(oldest)
	return oldest != ""
}
