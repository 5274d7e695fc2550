package drift

import (
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

const (
	horizon    = 7 * event.Day
	judgeEvery = 30 * event.Second
	againEvery = 5 * event.Minute
	againFor   = 2 * event.Hour
	slot       = 10 * event.Minute
	slots      = int(event.Day / int64(slot))
	maxCells   = 4096 // of an integration: beyond, minutes and actors are told apart no more
	maxCauses  = 128  // of an integration: the oldest go
	sep        = "\x1f"
)

// Drift implements stream.Operator.
type Drift struct {
	*stream.Parts
	cells  *stream.Table[Cell, *Cell]
	flows  *stream.Table[Flow, *Flow]
	causes *stream.Table[Candidate, *Candidate]
	books  *stream.Table[Book, *Book]
	told   *stream.Table[event.Explanation, *event.Explanation]
	names  names
}

// New makes the operator of one partition of partials.
func New(integrations []config.Integration) *Drift {
	d := &Drift{
		cells: stream.NewTable[Cell](), flows: stream.NewTable[Flow](), causes: stream.NewTable[Candidate](),
		books: stream.NewTable[Book](), told: stream.NewTable[event.Explanation](), names: newNames(integrations),
	}
	d.Parts = stream.NewParts(
		stream.Part{Name: "c", State: d.cells}, stream.Part{Name: "f", State: d.flows}, stream.Part{Name: "t", State: d.causes},
		stream.Part{Name: "b", State: d.books}, stream.Part{Name: "x", State: d.told},
	)
	return d
}

// Step implements stream.Operator.
func (d *Drift) Step(ctx stream.Ctx, _ string, ev event.Event, _ *stream.Out) {
	switch e := ev.(type) {
	case *event.Partial:
		d.partial(ctx, e)
	case *event.Activity:
		d.activity(e)
	case *event.Signal:
		d.signal(e)
	case *event.CauseVerdict:
		d.verdict(e)
	}
}

// Tick implements stream.Operator.
func (d *Drift) Tick(ctx stream.Ctx, out *stream.Out) {
	if ctx.Now/event.Second%(judgeEvery/event.Second) != 0 {
		return
	}
	if ctx.Now/event.Second%(event.Hour/event.Second) == 0 {
		d.forgetFlows(ctx, d.flows.Keys())
	}
	for _, integration := range slices.Clone(d.books.Keys()) {
		if b := d.books.Get(integration); b.due(ctx.Now) {
			b = d.books.Change(integration)
			b.Changed, b.Judged = false, ctx.Now
			d.judge(ctx, integration, out)
		}
	}
}

// due: what is new is judged soon; what is unexplained again and again for a
// while, because what follows may tell.
func (b *Book) due(now event.Time) bool {
	return b.Changed || b.Open && now-b.Judged >= againEvery && now-b.Last < againFor
}

func (d *Drift) partial(ctx stream.Ctx, p *event.Partial) {
	for i := range p.Changes {
		c := &p.Changes[i]
		d.flow(p.Integration, p.Object, c, "")
		if machine(p.Actor) {
			d.flow(p.Integration, p.Object, c, machineName(p.Actor)) // runs are without number
		}
	}
	for i := range p.Divergences {
		if c := &p.Divergences[i]; c.State == event.DivergenceConfirmed && !c.PreExisting && c.Was != event.DivergenceAccepted {
			d.diverged(ctx, p, c)
		}
	}
}

// flow counts changes where they happened.
func (d *Drift) flow(integration, object string, c *event.ChangeCount, by string) {
	day := c.Minute - c.Minute%event.Day
	f := d.flows.Change(strings.Join([]string{integration, object, c.Field, by, strconv.FormatInt(int64(day/event.Day), 10)}, sep))
	at := int((c.Minute - day) / slot)
	for len(f.N) <= at {
		f.N = append(f.N, 0)
	}
	f.N[at] += c.N
}

func (d *Drift) diverged(ctx stream.Ctx, p *event.Partial, c *event.DivergenceCount) {
	b := d.books.Change(p.Integration)
	b.Tenant, b.Changed, b.Last = p.Tenant, true, ctx.Now
	began, by := c.Began, c.By
	if began == 0 {
		began = c.First - c.First%event.Minute
	}
	if b.Cells >= maxCells { // coarser, rather than not at all
		began, by = began-began%event.Day, event.Actor{}
	}
	key := strings.Join([]string{p.Integration, p.Object, c.Field, crowd(by), c.Refused, c.RefusedAs, strconv.FormatInt(int64(began/event.Minute), 10)}, sep)
	if d.cells.Get(key) == nil {
		b.Cells++
	}
	x := d.cells.Change(key)
	x.Object, x.Field, x.By, x.Began = p.Object, c.Field, by, began
	x.Refused, x.Class = c.Refused, c.RefusedAs
	x.N += c.N
	switch {
	case x.Value == c.Value:
		x.ValueN += c.ValueN
	case c.ValueN > x.ValueN:
		x.Value, x.ValueN = c.Value, c.ValueN-x.ValueN
	default:
		x.ValueN -= c.ValueN
	}
}

// machine reports whether the actor is one by name, whose work is told apart.
func machine(a event.Actor) bool {
	return a.ID != "" && (a.Kind == event.ActorAgent || a.Kind == event.ActorAutomation || a.Kind == event.ActorImport)
}

func crowd(a event.Actor) string {
	if a.Kind == "" && a.ID == "" {
		return ""
	}
	return a.Kind + ":" + a.ID + ":" + a.Run
}

// machineName is whose work is counted together, and how its keys begin.
func machineName(a event.Actor) string { return a.Kind + ":" + a.ID + ":" }

// under are the keys of a table that belong to an integration. They are sorted.
func under(keys []string, integration string) []string {
	from, _ := slices.BinarySearch(keys, integration+sep)
	to, _ := slices.BinarySearch(keys, integration+"\x20")
	return keys[from:max(from, to)]
}

// forget lets go what is older than anybody looks back.
func (d *Drift) forget(ctx stream.Ctx, integration string) {
	b := d.books.Change(integration)
	for _, key := range slices.Clone(under(d.cells.Keys(), integration)) {
		if d.cells.Get(key).Began < ctx.Now-horizon {
			d.cells.Delete(key)
			b.Cells--
		}
	}
	d.forgetFlows(ctx, under(d.flows.Keys(), integration))
	for _, key := range slices.Clone(under(d.causes.Keys(), integration)) {
		if c := d.causes.Get(key); max(c.Start, c.End) < ctx.Now-horizon {
			d.causes.Delete(key)
			b.Causes--
		}
	}
}

// forgetFlows does it for changes, also where nothing ever differs.
func (d *Drift) forgetFlows(ctx stream.Ctx, keys []string) {
	for _, key := range slices.Clone(keys) {
		day, err := strconv.ParseInt(key[strings.LastIndex(key, sep)+1:], 10, 64)
		if err != nil || event.Time(day+1)*event.Day < ctx.Now-horizon {
			d.flows.Delete(key)
		}
	}
}
