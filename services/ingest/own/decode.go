package own

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
	"plumbline.dev/services/internal/privacy"
)

// MaxElements bounds a body: senders with more send another request.
const MaxElements = 10_000

// maxAhead is how far a sender's clock may be before ours without a word.
const maxAhead = 5 * time.Minute

// Decoder decodes own formats. It is safe for concurrent use.
type Decoder struct {
	index  *Index
	policy *privacy.Policy
}

// New makes a decoder for the configured integrations.
func New(index *Index, policy *privacy.Policy) *Decoder {
	return &Decoder{index: index, policy: policy}
}

// Meta is what the request knows about a body.
type Meta struct {
	Sender string
	Now    time.Time
	Lines  bool // declared as NDJSON
	// Envelope is what each element comes in, Outside what the request's
	// headers say about the one element of its body.
	Envelope Envelope
	Outside  Outside
}

// Item is one event, ready to be written.
type Item struct {
	Key   string
	Event event.Event
}

// Warning is something its sender should know about an accepted element.
type Warning struct {
	Index  int
	Reason string
}

// Result is a decoded body: every element is in Items or in Bad.
type Result struct {
	Items    []Item
	Bad      []wire.Bad
	Warnings []Warning
	Unknown  int // members nobody knows: tolerated, counted
	Total    int
}

// Kinds are the formats, by the last part of their address.
var Kinds = []string{"attempts", "changes", "observations", "signals", "clicks", "access"}

// Decode reads a body of one kind. An error means that nothing of the body
// can be used.
func (d *Decoder) Decode(kind string, body []byte, meta Meta) (Result, error) {
	elements, err := split(body, meta.Lines)
	if err != nil {
		return Result{}, err
	}
	if meta.Outside.ID != "" && len(elements) > 1 {
		return Result{}, fmt.Errorf("%w: an envelope holds one element, this one %d", wire.ErrSyntax, len(elements))
	}
	r := Result{Items: make([]Item, 0, len(elements)), Total: len(elements)}
	for i, raw := range elements {
		e := element{Decoder: d, meta: &meta, raw: raw, nth: i, out: &r}
		item, err := e.decode(kind)
		if err != nil {
			r.Bad = append(r.Bad, e.reject(err))
			continue
		}
		r.Items = append(r.Items, item)
	}
	if r.Total > 0 {
		err = wire.CheckBody(r.Bad, r.Total)
	}
	return r, err
}

// split takes the body apart. A body of objects that breaks off is read again
// by its lines, so that one bad line of an undeclared NDJSON costs only itself.
func split(body []byte, lines bool) ([][]byte, error) {
	if lines {
		return wire.Lines(nil, body, MaxElements)
	}
	elements, err := wire.Split(nil, body, MaxElements)
	if err == nil || errors.Is(err, wire.ErrTooMany) {
		return elements, err
	}
	first, rest, ok := bytes.Cut(body, []byte{'\n'})
	if ok && len(bytes.TrimSpace(rest)) > 0 && jsontext.Value(first).Kind() == '{' && jsontext.Value(first).IsValid() {
		return wire.Lines(nil, body, MaxElements)
	}
	return nil, err
}

// element is one element on its way to an event.
type element struct {
	*Decoder
	meta        *Meta
	raw         []byte
	nth         int
	out         *Result
	integration *integration
	outside     Outside
}

func (e *element) decode(kind string) (Item, error) {
	if err := e.open(); err != nil {
		return Item{}, err
	}
	switch kind {
	case "attempts":
		return e.attempt()
	case "changes":
		return e.change()
	case "observations":
		return e.observation()
	case "signals":
		return e.signal()
	case "clicks":
		return e.click()
	case "access":
		return e.access()
	}
	return Item{}, fmt.Errorf("kind %q is not known", kind)
}

// errIntegration marks an element of an integration that is not configured.
var errIntegration = errors.New("is not configured")

func (e *element) reject(err error) wire.Bad {
	b := wire.Reject(e.nth, e.raw, err)
	if errors.Is(err, errIntegration) {
		b.Code = wire.CodeIntegration
	}
	if e.integration != nil {
		b.Tenant = e.integration.Tenant
	}
	return b
}

func (e *element) warn(format string, args ...any) {
	e.out.Warnings = append(e.out.Warnings, Warning{e.nth, fmt.Sprintf(format, args...)})
}

// members walks the element. fill returns false for a member it does not know.
func (e *element) members(fill func(name string, v jsontext.Value) (bool, error)) (uint64, error) {
	m := wire.Read(e.raw)
	defer m.Done()
	for m.Next() {
		m.Count()
		known, err := fill(string(m.Name()), m.Value())
		m.Fail(err)
		if !known {
			e.out.Unknown++
		}
	}
	return m.Hash(), m.Err()
}

// find looks the integration up; every own format but signals needs one.
func (e *element) find(id string) error {
	if id == "" {
		return fmt.Errorf("%w: integration is missing", event.ErrInvalid)
	}
	e.integration = e.index.byID[id]
	if e.integration == nil {
		return fmt.Errorf("integration %q %w; known are %s", id, errIntegration, e.index.names)
	}
	return nil
}

func (e *element) id(kind, id string) string {
	switch {
	case id != "":
		return id
	case e.outside.ID != "":
		return e.outside.ID
	}
	return wire.ContentID(kind, e.raw)
}

// at is when the element says it happened, else when its envelope does.
func (e *element) at(t *event.Time) error {
	if *t != 0 || e.outside.Time == nil {
		return nil
	}
	var err error
	if *t, err = wire.Time(e.outside.Time); err != nil {
		return fmt.Errorf("time of the envelope %w", err)
	}
	return nil
}

func (e *element) clock(name string, t event.Time) {
	if ahead := t.Std().Sub(e.meta.Now); t != 0 && ahead > maxAhead {
		e.warn("%s is %s ahead of our clock: check the sender's", name, ahead.Round(time.Second))
	}
}

func (e *element) unknownObject(object string) {
	e.warn("object %q is not mapped by integration %s", object, e.integration.ID)
}

func (e *element) actor(v jsontext.Value) (event.Actor, error) {
	a, known, err := wire.Actor(v)
	if !known && err == nil {
		e.warn("actor.kind is not known and counts as unknown")
	}
	return a, err
}
