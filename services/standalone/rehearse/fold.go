package rehearse

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"plumbline.dev/pipelines/classify"
	"plumbline.dev/pipelines/kpi"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/evaluate"
	"plumbline.dev/services/ingest"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/process"
	"plumbline.dev/services/simulate"
)

// fold is the door, the operators and the readers as plain calls, one after
// the other in the simulator's own time: what the ledger makes of a scenario,
// in seconds and the same in every run, whatever the machine does.
type fold struct {
	ctx      context.Context //nolint:containedctx // of one Fold
	door     http.Handler
	offsets  map[string]int64
	resolve  *stream.Task
	track    *stream.Task
	watch    *stream.Task
	counts   *kpi.KPI // as the watch has them, to be asked in the end
	rates    *stream.Task
	objects  []*both
	pending  []*event.Check // asked, not yet answered
	sim      *simulate.Simulation
	at       atomic.Int64
	ticked   event.Time
	polled   event.Time
	glanced  event.Time // at the schemas
	probed   event.Time
	compared event.Time
	conns    []*connection
	out      map[string][]event.Event
	waited   int           // of the readers, in this look
	log      *json.Encoder // of everything folded, where it is kept
	err      error         // the first
}

// folded is one line of the log.
type folded struct {
	At    event.Time  `json:"at"`
	Topic string      `json:"topic"`
	Key   string      `json:"key"`
	Type  event.Type  `json:"type"`
	Event event.Event `json:"event"`
}

// foldStart is when every fold begins.
var foldStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Fold plays a scenario to the door, the operators and the readers alone,
// without brokers and tables, and scores what differs and why. What tables and
// comparisons of whole sets say (KPIs, coverage, lists) is not measured.
func Fold(ctx context.Context, o Options) (*Result, error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "plumbline-fold-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	f := &fold{ctx: ctx, offsets: map[string]int64{}, out: map[string][]event.Event{}, ticked: event.At(foldStart), polled: event.At(foldStart)}
	f.at.Store(foldStart.UnixMilli())
	var r *Result
	var misses []evaluate.Miss
	if o.Keep {
		if err := os.MkdirAll(o.Dir, 0o750); err != nil {
			return nil, err
		}
		err = writeTo(filepath.Join(o.Dir, "folded.ndjson"), func(to *os.File) error {
			w := bufio.NewWriter(to)
			f.log = json.NewEncoder(w)
			var err error
			r, misses, err = f.play(o, dir)
			return errors.Join(err, w.Flush())
		})
	} else {
		r, misses, err = f.play(o, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Scenario.Name, err)
	}
	r.Took = time.Since(began)
	if o.Keep {
		err = errors.Join(err, writeMisses(o.Dir, misses))
	}
	return r, err
}

func (f *fold) play(o Options, dir string) (*Result, []evaluate.Miss, error) {
	apis := make([]lateServer, max(o.Scenario.Tenants, 1))
	addrs := make([]simulate.Addrs, len(apis))
	for i := range apis {
		apis[i].open()
		defer apis[i].close()
		addrs[i] = simulate.Addrs{HubSpot: apis[i].hubspot.URL, Salesforce: apis[i].salesforce.URL}
	}
	text, err := simulate.WriteConfig(dir, o.Scenario, addrs, hookSecret, senderToken)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := cfgload.Parse("scenario.yaml", text)
	if err != nil {
		return nil, nil, err
	}
	if err := f.wire(cfg, cfgload.Secrets{Dir: dir}); err != nil {
		return nil, nil, err
	}
	defer f.close()
	var truth bytes.Buffer
	f.sim, err = simulate.New(simulate.Options{
		Scenario: o.Scenario, Seed: o.Seed, Start: foldStart, Clock: f, Truth: &truth, IngestURL: "http://door", HookSecret: []byte(hookSecret),
		SenderToken: senderToken, Client: &http.Client{Transport: f}, Speed: simulate.Unpaced, InTurn: true,
	})
	if err != nil {
		return nil, nil, err
	}
	for i, api := range f.sim.Fakes() {
		apis[i].serve(api)
	}
	if err := f.sim.Run(f.ctx); err != nil {
		return nil, nil, err
	}
	end := event.At(foldStart.Add(time.Duration(o.Scenario.Length) + grace))
	f.at.Store(int64(end))
	f.until(end)
	if f.err != nil {
		return nil, nil, f.err
	}
	if o.Keep {
		if err := os.WriteFile(filepath.Join(o.Dir, "truth.ndjson"), truth.Bytes(), 0o600); err != nil {
			return nil, nil, err
		}
	}
	w, err := evaluate.Read(&truth, time.Duration(cfg.Integrations[0].Deadline).Milliseconds())
	if err != nil {
		return nil, nil, err
	}
	said := f.findings()
	said.KPIs = f.kpis(cfg, w)
	rows, misses := evaluate.Score(w, said)
	return &Result{Scenario: o.Scenario.Name, Rows: rows, Sent: f.sim.Stats()}, misses, nil
}

func (f *fold) wire(cfg *config.Config, secrets cfgload.Secrets) error {
	key, err := privacy.NewKey([]byte("the key of a scenario that is only folded"))
	if err != nil {
		return err
	}
	policy := privacy.NewPolicy(key, cfg.Integrations)
	f.door, err = ingest.New(ingest.Options{Config: cfg, Producer: f, Privacy: policy, Secrets: secrets, Now: f.Now})
	if err != nil {
		return err
	}
	classifier := classify.Default()
	stages := process.Stages(process.StageOptions{Integrations: cfg.Integrations, Enrich: func(a *event.Attempt) { classifier.Enrich(a) }})
	task := func(name string) *stream.Task {
		i := slices.IndexFunc(stages, func(s process.Stage) bool { return s.Name == name })
		return stream.NewTask(stages[i].Operator(), 0)
	}
	f.resolve, f.track, f.watch = task("resolve"), task("track"), task("watch")
	f.counts = kpi.New(cfg.Integrations)
	f.rates = stream.NewTask(f.counts, 0)
	return f.read(cfg, policy, secrets)
}

// Now and the rest are a clock that stands still while somebody works.
func (f *fold) Now() time.Time { return time.UnixMilli(f.at.Load()).UTC() }

// Sleep implements pace.Clock.
func (f *fold) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// Wall implements pace.Clock.
func (f *fold) Wall(time.Duration) time.Duration { return 0 }

// RoundTrip is the door without a network: first what was due before.
func (f *fold) RoundTrip(r *http.Request) (*http.Response, error) {
	f.at.Store(f.sim.Now().UnixMilli())
	f.until(event.At(f.Now()))
	w := httptest.NewRecorder()
	f.door.ServeHTTP(w, r)
	return w.Result(), nil
}

// Ping implements ingest.Producer.
func (f *fold) Ping(context.Context) error { return nil }

// Produce folds what is written to intake at once.
func (f *fold) Produce(_ context.Context, messages ...bus.Message) error {
	for _, m := range messages {
		b, err := m.Event.MarshalMsg(nil) // the writer may use its memory again
		if err != nil {
			return err
		}
		e, err := event.Decode(m.Event.EventType(), b)
		if err != nil {
			return err
		}
		f.fold(f.resolve, stream.Record{Topic: m.Topic, Key: m.Key, Time: m.Time, Event: e})
	}
	return nil
}

// fold folds a record and everything that follows from it.
func (f *fold) fold(task *stream.Task, r stream.Record) {
	f.note(r.Topic, r.Key, r.Event)
	r.Offset = f.offsets[r.Topic]
	f.offsets[r.Topic]++
	var out stream.Out
	task.Process(&r, &out)
	for _, o := range out.List {
		next := stream.Record{Topic: o.Topic, Key: o.Key, Time: o.Time, Event: o.Event, Cause: o.Cause}
		if o.Topic != topic.Intake && o.Topic != topic.Facts {
			f.note(o.Topic, o.Key, o.Event)
		}
		switch e := o.Event.(type) {
		case *event.Check:
			f.pending = append(f.pending, e)
		default:
			switch o.Topic {
			case topic.Intake:
				f.fold(f.resolve, next)
			case topic.Facts:
				f.fold(f.track, next)
			case topic.Partials:
				f.count(next)
				f.fold(f.watch, next)
			case topic.Divergences, topic.Deliveries, topic.Verdicts, topic.Incidents:
				f.out[o.Topic] = append(f.out[o.Topic], o.Event)
			}
		}
	}
}

func (f *fold) note(topic, key string, e event.Event) {
	if f.log == nil || e.EventType() == event.TypeTick {
		return
	}
	if err := f.log.Encode(folded{event.At(f.Now()), topic, key, e.EventType(), e}); err != nil && f.err == nil {
		f.err = err
	}
}

// until lets time pass: ticks, answers and polls.
func (f *fold) until(now event.Time) {
	for ; f.ticked+event.Second <= now && f.ctx.Err() == nil; f.ticked += event.Second {
		tick := &event.Tick{At: f.ticked + event.Second}
		f.fold(f.resolve, stream.Record{Topic: topic.Intake, Time: tick.At, Event: tick})
		f.fold(f.track, stream.Record{Topic: topic.Facts, Time: tick.At, Event: tick})
		f.count(stream.Record{Topic: topic.Partials, Time: tick.At, Event: tick})
		f.fold(f.watch, stream.Record{Topic: topic.Partials, Time: tick.At, Event: tick})
		f.answer(tick.At)
		if tick.At-f.polled >= pollAfter {
			f.polled = tick.At
			f.glance()
			f.poll()
			if tick.At-f.compared >= compareAfter {
				f.compared = tick.At
				f.compare()
			}
		}
	}
}

// beyond is what is read from tables.
var beyond = []string{
	evaluate.GroupListed, evaluate.GroupFailures, evaluate.GroupAgents, evaluate.GroupRetries, evaluate.GroupSurface,
}

// findings are the last rows of everything, as the tables hold them.
func (f *fold) findings() *evaluate.Findings {
	out := &evaluate.Findings{KPIs: map[string]evaluate.KPI{}, Missing: map[string]string{}}
	for _, group := range beyond {
		out.Missing[group] = "not folded"
	}
	var all []evaluate.Divergence
	causes := lastOf(f.out[topic.Verdicts])
	for _, e := range f.out[topic.Divergences] {
		d := e.(*event.Divergence)
		row := opening(d)
		row.Cause = causes.of(d)
		all = append(all, row)
	}
	out.Explanations = causes.rows()
	out.Add(all)
	out.Incidents = incidentsOf(f.out[topic.Incidents])
	at := map[string]int{}
	for _, e := range f.out[topic.Deliveries] {
		d := e.(*event.Delivery)
		i, known := at[d.ID]
		if !known {
			i = len(out.Deliveries)
			at[d.ID], out.Deliveries = i, append(out.Deliveries, evaluate.Delivery{})
		}
		out.Deliveries[i] = evaluate.Delivery{
			ID: d.ID, Integration: d.Integration, State: d.State, UpdatedAt: int64(d.UpdatedAt), LatencyMS: d.LatencyMS, Late: d.Late,
		}
	}
	return out
}

// incidentsOf are the last rows of incidents, in the order in which they were opened.
func incidentsOf(list []event.Event) []evaluate.IncidentRow {
	var out []evaluate.IncidentRow
	for _, e := range list {
		i := e.(*event.Incident)
		row := evaluate.IncidentRow{
			ID: i.ID, Integration: i.Integration, Class: i.Class, Onset: int64(i.OnsetAt), Detected: int64(i.DetectedAt), Resolved: int64(i.ResolvedAt),
		}
		if at := slices.IndexFunc(out, func(x evaluate.IncidentRow) bool { return x.ID == i.ID }); at >= 0 {
			out[at] = row
		} else {
			out = append(out, row)
		}
	}
	return out
}
