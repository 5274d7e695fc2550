package rehearse

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/reconcile"
	"plumbline.dev/services/simulate"
)

const (
	answerAfter = 3 * event.Second
	pollAfter   = event.Minute
	pollOverlap = 10 * event.Second
	glanceAfter = 10 * event.Minute
	probeAfter  = 5 * event.Minute
)

// errNobodyKnows which record to look for.
var errNobodyKnows = errors.New("nobody knows the copy")

// impatient is the readers' clock: time stands still while they call, so a wait
// takes none of it, and what waits again and again is left for the next look.
type impatient struct{ *fold }

var errLater = errors.New("not now")

const patience = 20 // waits in one look

// Sleep implements pace.Clock.
func (i impatient) Sleep(context.Context, time.Duration) error {
	if i.waited++; i.waited > patience {
		return errLater
	}
	return nil
}

// lateServer is the two fakes' addresses, before there are fakes.
type lateServer struct {
	hubspot, salesforce *httptest.Server
	api                 simulate.Fakes
}

func (l *lateServer) open() {
	l.hubspot = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.api.HubSpot.ServeHTTP(w, r) }))
	l.salesforce = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.api.Salesforce.ServeHTTP(w, r) }))
}

func (l *lateServer) serve(api simulate.Fakes) { l.api = api }

func (l *lateServer) close() { l.hubspot.Close(); l.salesforce.Close() }

// both is one object with its two readers, and the copies seen by their keys.
type both struct {
	*match.Mapping
	readers map[string]crm.Reader
	closes  []func()
	copies  map[string]match.Row
	seen    map[string]match.Row // of the source, by id
	through map[string]event.Time
	sources []match.Row // whose copy is not known
	glance  reconcile.Glance
}

// connection is an account that is tried with our own credential.
type connection struct {
	conn   *config.Connection
	reader crm.Reader
}

// read opens the readers.
func (f *fold) read(cfg *config.Config, policy *privacy.Policy, secrets cfgload.Secrets) error {
	readers, closes := map[string]crm.Reader{}, []func(){}
	for i := range cfg.Connections {
		c := &cfg.Connections[i]
		c.CallShare = 1 // budgets have tests of their own
		r, _, done, err := reconcile.Open(c, secrets.Resolve, impatient{f}, nil)
		if err != nil {
			return err
		}
		readers[c.ID], closes = r, append(closes, done)
		f.conns = append(f.conns, &connection{c, r})
	}
	for i := range cfg.Integrations {
		in := &cfg.Integrations[i]
		for j := range in.Objects {
			f.objects = append(f.objects, &both{
				Mapping: match.New(in, &in.Objects[j], policy), copies: map[string]match.Row{}, seen: map[string]match.Row{}, through: map[string]event.Time{}, closes: closes,
				readers: map[string]crm.Reader{event.Source: readers[in.Source.Connection], event.Target: readers[in.Target.Connection]},
			})
			closes = nil
		}
	}
	return nil
}

// glance tries the accounts, and looks at the schemas every so often: what has
// changed since the look before may explain what differs.
func (f *fold) glance() {
	if f.ticked-f.probed >= probeAfter {
		f.probed = f.ticked
		f.probe()
	}
	if f.glanced != 0 && f.ticked-f.glanced < glanceAfter {
		return
	}
	f.glanced = f.ticked
	for _, o := range f.objects {
		f.schema(o)
	}
}

func (f *fold) probe() {
	f.waited = 0
	for _, c := range f.conns {
		if m, ok := reconcile.Probe(f.ctx, c.conn, c.reader, func() event.Time { return event.At(f.Now()) }); ok {
			f.tell(m)
		}
	}
}

func (f *fold) schema(o *both) {
	f.waited = 0
	now, signals, err := reconcile.Look(f.ctx, o.Mapping, o.readers, &o.glance, event.At(f.Now()))
	if err != nil {
		return // nobody answered: the next look tells
	}
	o.glance = *now
	for _, s := range signals {
		f.tell(bus.Message{Topic: topic.Intake, Key: o.Integration.ID + "/signal", Time: s.ReceivedAt, Event: s})
	}
}

func (f *fold) close() {
	for _, o := range f.objects {
		for _, done := range o.closes {
			done()
		}
	}
}

func (f *fold) tell(messages ...bus.Message) {
	if err := f.Produce(f.ctx, messages...); err != nil && f.err == nil {
		f.err = err
	}
}

// learn asks what fields there are: a map may have broken. It reports false
// while a system does not answer.
func (f *fold) learn(o *both) bool {
	f.waited = 0
	for side, r := range o.readers {
		for _, native := range o.Natives(side) {
			p, err := r.Describe(f.ctx, native)
			if err != nil {
				return false
			}
			o.Know(side, native, p)
		}
	}
	return true
}

func (f *fold) answer(now event.Time) {
	var due []*event.Check
	f.pending = slices.DeleteFunc(f.pending, func(c *event.Check) bool {
		if c.AskedAt+answerAfter > now {
			return false
		}
		due = append(due, c)
		return true
	})
	for _, c := range due {
		for _, o := range f.objects {
			if o.Integration.ID == c.Integration && o.Object.Name == c.Object && (!f.learn(o) || !f.look(o, c)) {
				again := *c // nobody answered
				again.AskedAt = now
				f.pending = append(f.pending, &again)
			}
		}
	}
}

// look answers a check; false: a system did not answer.
func (f *fold) look(o *both, c *event.Check) bool {
	at := event.At(f.Now())
	seen := match.Seen{By: event.FoundByReadback, Now: at}
	if id, orphan := strings.CutPrefix(c.RecordKey, event.OrphanID("")); orphan {
		rows, err := f.get(o, event.Target, id)
		switch {
		case err != nil:
			return false
		case len(rows) == 0:
			f.tell(o.Absent(event.Target, o.Object.Target[0], id, c.RecordKey, at, seen))
		default:
			f.tell(o.Orphan(&rows[0], seen)...)
		}
		return true
	}
	source, err := f.get(o, event.Source, c.RecordKey)
	if err != nil {
		return false
	}
	switch {
	case c.Side == event.Target:
	case len(source) > 0:
		f.tell(o.Observe(&source[0], seen, "", nil))
	default:
		f.tell(o.Absent(event.Source, o.Object.Source, c.RecordKey, "", at, seen))
	}
	copies, err := f.copiesOf(o, c, source)
	switch {
	case c.Side == event.Source || errors.Is(err, errNobodyKnows):
	case err != nil:
		return false
	case len(copies) > 0:
		f.tell(o.Observe(&copies[0], seen, c.RecordKey, nil))
	default:
		f.tell(o.Absent(event.Target, o.Object.Target[0], c.TargetID, c.RecordKey, at, seen))
	}
	return true
}

func (f *fold) get(o *both, side, id string) ([]match.Row, error) {
	return o.Read(f.ctx, o.readers[side], side, []string{id}, func() event.Time { return event.At(f.Now()) })
}

// copiesOf reads the copy by its id, or by the source's keys.
func (f *fold) copiesOf(o *both, c *event.Check, source []match.Row) ([]match.Row, error) {
	if c.TargetID != "" && !strings.HasPrefix(c.TargetID, event.MissingID("")) {
		if rows, err := f.get(o, event.Target, c.TargetID); err != nil || len(rows) > 0 {
			return rows, err
		}
	}
	if len(source) == 0 { // by the keys it had
		was := o.seen[c.RecordKey]
		i, k := was.Key()
		if found, ok := o.copies[strconv.Itoa(i)+k]; ok {
			return f.get(o, event.Target, found.ID)
		}
		return nil, errNobodyKnows
	}
	found, err := o.Others(f.ctx, o.readers[event.Target], source, func() event.Time { return event.At(f.Now()) })
	return found[c.RecordKey], err
}

// poll shows what changed on both sides since each was last read, and links
// what has the same key.
func (f *fold) poll() {
	for _, o := range f.objects {
		if !f.learn(o) {
			continue
		}
		for _, side := range []string{event.Source, event.Target} {
			began, whole := event.At(f.Now()), true
			for _, native := range o.Natives(side) {
				q := o.Query(side, native)
				q.Since = max(o.through[side]-pollOverlap, 0)
				errs := o.readers[side].Modified(f.ctx, []crm.Query{q}, func(_ int, records []crm.Record) error {
					f.show(o, side, records)
					return nil
				})
				whole = whole && errs[0] == nil
			}
			if whole {
				o.through[side] = began
			}
		}
		f.link(o)
	}
}

func (f *fold) show(o *both, side string, records []crm.Record) {
	at := event.At(f.Now())
	for i := range records {
		row := o.Row(side, &records[i], at)
		if side == event.Source {
			o.sources, o.seen[row.ID] = append(o.sources, row), row
		}
		for i, k := range row.Keys {
			if k != "" && side == event.Target {
				o.copies[strconv.Itoa(i)+k] = row
			}
		}
		f.tell(o.Observe(&row, match.Seen{By: event.FoundByPoll, Now: at, Resolution: int64(pollAfter)}, "", nil))
	}
}

func (f *fold) link(o *both) {
	o.sources = slices.DeleteFunc(o.sources, func(row match.Row) bool {
		i, k := row.Key()
		c, ok := o.copies[strconv.Itoa(i)+k]
		if ok && i >= 0 {
			f.tell(o.Link(&row, &c, event.At(f.Now())))
		}
		return ok
	})
}
