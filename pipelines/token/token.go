package token

import (
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Severe is the score from which a person is woken; from Strange on it is told.
const (
	Strange = 3
	Severe  = 5
)

// Operator folds one partition of partials.
type Operator struct {
	entries *stream.Keyed[Entry, *Entry]
}

// New makes the operator.
func New() *Operator { return &Operator{entries: stream.NewKeyed[Entry](fold{})} }

// Step implements stream.Operator.
func (o *Operator) Step(ctx stream.Ctx, _ string, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Access:
		o.entries.Step(ctx, tokenKey(e.Tenant, e.System, e.Token), ev, out)
	case *event.Activity:
		if e.System != "" && e.Attempts+e.Reads > 0 {
			o.entries.Step(ctx, usageKey(e.Tenant, e.System), ev, out)
		}
	case *event.Signal:
		switch {
		case e.Kind == event.SignalTokenRotation && e.Token != "":
			o.entries.Step(ctx, tokenKey(e.Tenant, e.System, e.Token), ev, out)
		case e.Kind == event.SignalUsage:
			o.entries.Step(ctx, usageKey(e.Tenant, e.System), ev, out)
		}
	}
}

// Tick implements stream.Operator.
func (o *Operator) Tick(ctx stream.Ctx, out *stream.Out) { o.entries.Tick(ctx, out) }

// Save implements stream.State.
func (o *Operator) Save(emit stream.Emit) error { return o.entries.Save(emit) }

// Rewrite implements stream.State.
func (o *Operator) Rewrite(n int, emit stream.Emit) (bool, error) { return o.entries.Rewrite(n, emit) }

// Load implements stream.State.
func (o *Operator) Load(key string, value []byte) error { return o.entries.Load(key, value) }

func tokenKey(tenant, system, id string) string { return "token/" + tenant + "/" + system + "/" + id }

func usageKey(tenant, system string) string { return "usage/" + tenant + "/" + system }

type fold struct{}

// Step implements stream.Fold.
func (fold) Step(ctx stream.Ctx, key string, e *Entry, ev event.Event, out *stream.Out) {
	switch x := ev.(type) {
	case *event.Access:
		e.name(x.Tenant, x.System, x.Token)
		e.tell(ctx, e.access(x), "", out)
	case *event.Activity:
		e.name(x.Tenant, x.System, key)
		e.counter().know(x.Second, x.Attempts+x.Reads)
		e.Last = max(e.Last, x.Second)
	case *event.Signal:
		if x.Kind == event.SignalTokenRotation {
			e.name(x.Tenant, x.System, x.Token)
			e.Rotated, e.Last = x.StartedAt, max(e.Last, x.StartedAt)
			return
		}
		e.name(x.Tenant, x.System, key)
		e.Last = max(e.Last, x.StartedAt)
		if f, strange := e.counter().counted(x); strange {
			e.tell(ctx, []Finding{f}, x.Integration, out)
		}
	}
}

// Timer implements stream.Fold.
func (fold) Timer(_ stream.Ctx, _ string, e *Entry, _ *stream.Out) { *e = Entry{} }

func (e *Entry) name(tenant, system, id string) { e.Tenant, e.System, e.ID = tenant, system, id }

func (e *Entry) counter() *Usage {
	if e.Usage == nil {
		e.Usage = &Usage{}
	}
	return e.Usage
}

// tell says what is newly found, once the day's findings together are strange.
func (e *Entry) tell(ctx stream.Ctx, found []Finding, integration string, out *stream.Out) {
	news := false
	var at event.Time
	for _, f := range found {
		if e.add(f) {
			news, at = true, f.At
		}
	}
	if !news || e.score() < Strange {
		return
	}
	s := &event.Signal{
		Kind: event.SignalToken, Tenant: e.Tenant, Integration: integration, System: e.System, StartedAt: e.Found[0].At,
		ReceivedAt: max(ctx.Now, at),
	}
	if e.Usage == nil {
		s.Token = e.ID
	}
	var words, kinds []string
	for i := range e.Found {
		words, kinds = append(words, e.Found[i].Words), append(kinds, e.Found[i].Kind)
	}
	s.ID = event.Hash("token", e.Tenant, e.System, e.ID, strings.Join(kinds, ","), at.String())
	s.Summary = strings.Join(words, "; ")
	s.Detail = []event.Field{
		{Name: "findings", Value: event.Value{Text: strings.Join(kinds, ",")}},
		{Name: "score", Value: event.Value{Kind: event.KindNumber, Text: strconv.Itoa(e.score())}},
	}
	out.Emit(topic.Signals, e.Tenant, s)
}
