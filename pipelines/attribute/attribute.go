package attribute

import (
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// Spans of the judgement, in stream time.
const (
	judgeEvery  = 5 * event.Second  // how often open spells are judged
	settles     = 10 * event.Second // a decision has to hold for this long
	patience    = 15 * event.Second // how long an auth failure may last before it is said to be undecided
	recent      = 5 * event.Minute  // what counts as now, for probes, peers and other calls
	quiet       = 5 * event.Minute  // without failures for so long, a spell is over
	forgotten   = 15 * event.Minute // likewise where nothing was called at all
	witnessWait = 90 * event.Second // how long a decision waits for the next probe, where there are any
	fresh       = event.Minute      // judged is what fails now: afterwards a verdict stands as it is
	before      = 30 * event.Minute // how far before a spell a change may explain it
	longOutage  = 6 * event.Hour    // no outage lasts so long: a grant refused all the while is dead
	lineKept    = 24 * event.Hour   // a line nobody used for so long is forgotten
	maxPlaces   = 32
	surge       = 5   // failures from which a run of data errors is looked at
	surgeShare  = 0.3 // and their share of the line's calls
	outageCalls = 3   // failures from which an outage is told
)

// Attribute implements stream.Operator.
type Attribute struct {
	*stream.Parts
	lines *stream.Table[Line, *Line]
	notes *stream.Table[Note, *Note]
	wide  *stream.Table[Wide, *Wide]

	told    *stream.Table[Told, *Told] // by this partition's tenants
	heard   *stream.Table[Told, *Told] // from all tenants, in the one partition that hears them
	answers *stream.Table[Told, *Told] // to this partition's tenants
}

// New makes the operator of one partition of partials.
func New() *Attribute {
	a := &Attribute{lines: stream.NewTable[Line](), notes: stream.NewTable[Note](), wide: stream.NewTable[Wide]()}
	a.told, a.heard, a.answers = stream.NewTable[Told](), stream.NewTable[Told](), stream.NewTable[Told]()
	a.Parts = stream.NewParts(
		stream.Part{Name: "t", State: a.told}, stream.Part{Name: "h", State: a.heard}, stream.Part{Name: "a", State: a.answers},
		stream.Part{Name: "l", State: a.lines}, stream.Part{Name: "n", State: a.notes},
		stream.Part{Name: "w", State: a.wide})
	return a
}

// Step implements stream.Operator.
func (a *Attribute) Step(_ stream.Ctx, _ string, ev event.Event, _ *stream.Out) {
	switch e := ev.(type) {
	case *event.Partial:
		a.partial(e)
	case *event.Signal:
		a.signal(e)
	case *event.Breadth:
		a.hear(e)
	}
}

// Tick implements stream.Operator.
func (a *Attribute) Tick(ctx stream.Ctx, out *stream.Out) {
	if ctx.Now/event.Second%(judgeEvery/event.Second) != 0 {
		return
	}
	views := map[string]*view{}
	for _, key := range a.lines.Keys() {
		l := a.lines.Get(key)
		if len(l.Spells) > 0 {
			a.judgeLine(ctx, key, views, out)
		}
		if l.Seen+lineKept < ctx.Now {
			a.lines.Delete(key)
		}
	}
	a.judgeWide(ctx, out)
	a.tell(ctx, out)
	a.answer(ctx, out)
}

func lineKey(tenant, integration, provider, token string) string {
	return provider + "\x1f" + tenant + "\x1f" + integration + "\x1f" + token
}
