package notify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/acklink"
	"plumbline.dev/services/notify/kit"
)

// teller is who takes alerts on: our own speaker, or somebody's Alertmanager.
type teller interface {
	put(ctx context.Context, now time.Time, list []model.Alert) error
	mute(ctx context.Context, a *event.Alert, now time.Time) error
	// receiversOf are those that labels are routed to; once tells those that
	// are missing, and each that was told at once.
	receiversOf(labels model.LabelSet) []string
	once(ctx context.Context, now time.Time, a model.Alert, missing func(string) bool, told func(string) error) error
	close()
}

// Notifier is the role.
type Notifier struct {
	o       Options
	metrics *metrics
	lock    *os.File
	tell    teller

	mu       sync.Mutex
	world    *kit.World
	caughtUp bool
	since    time.Time                 // of the last record, by our own clock
	labels   map[string]model.LabelSet // of each alert, as it was put last
	steps    map[string]*Next          // how far each alert was escalated
	worth    *worth
}

// New opens what was told and builds the receivers.
func New(o Options) (*Notifier, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	o.Data = filepath.Join(o.Data, "notify")
	if err := os.MkdirAll(o.Data, 0o750); err != nil {
		return nil, fmt.Errorf("make the folder of notify: %w", err)
	}
	held, err := lock(filepath.Join(o.Data, "lock"))
	if err != nil {
		return nil, err
	}
	n := &Notifier{
		o: o, metrics: newMetrics(o.Registerer), lock: held, world: kit.NewWorld(), labels: map[string]model.LabelSet{}, steps: map[string]*Next{}, since: o.Now(),
		worth: newWorth(o.Read, o.Logger),
	}
	if n.tell, err = newTeller(&o); err != nil {
		held.Close()
		return nil, err
	}
	return n, nil
}

func newTeller(o *Options) (teller, error) {
	if u := o.external(); u != nil {
		return newExternal(o, u), nil
	}
	conf, err := load(o)
	if err != nil {
		return nil, err
	}
	return newSpeaker(o, conf)
}

// backoff is how long a broker that is away is waited for.
const backoff = time.Second

// Run reads and tells until ctx ends.
func (n *Notifier) Run(ctx context.Context) error {
	defer n.lock.Close()
	defer n.tell.close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { n.affirm(ctx) })
	if n.o.Digest != nil {
		wg.Go(func() { n.digests(ctx) })
	}
	for ctx.Err() == nil {
		err := n.o.Source.Read(ctx, topic.AlertStates, n.record, n.ready)
		if ctx.Err() != nil {
			return nil
		}
		n.o.Logger.Warn("alerts cannot be read, trying again", zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
	}
	return nil
}

// record takes one change. Nothing is told before all that stands was read:
// an alert of last week may be followed by its end.
func (n *Notifier) record(m kafka.Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.since = n.o.Now()
	a, news, err := n.world.Apply(m)
	switch {
	case err != nil:
		n.metrics.unreadable.Inc()
		n.o.Logger.Warn("skipped", zap.Error(err))
	case news && n.caughtUp && a.ID != "":
		n.metrics.changes.WithLabelValues(a.Status).Inc()
		n.pass(&a)
	}
	return nil
}

func (n *Notifier) ready() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.caughtUp {
		return
	}
	n.caughtUp = true
	n.o.Logger.Info("alerts read", zap.Int("alerts", len(n.world.Alerts)))
	n.all()
}

// all hands over every alert that stands, and those that ended of late: what
// was told of them before a restart may have to be taken back. Causes come
// first, so that they inhibit what they explain.
func (n *Notifier) all() {
	recent := n.o.Now().Add(-time.Hour)
	var explained []event.Alert
	for _, a := range n.world.Alerts {
		switch {
		case a.Status == event.AlertResolved && event.Time(a.ObservedAt).Std().Before(recent):
		case root(n.world.Alerts, &a) != "":
			explained = append(explained, a)
		default:
			n.pass(&a)
		}
	}
	for i := range explained {
		n.pass(&explained[i])
	}
}

// pass hands one alert on. Labels that changed make another alert of it in
// Alertmanager's eyes: the old one is ended, and says that it was replaced.
func (n *Notifier) pass(a *event.Alert) {
	if a.Rule == event.RuleWatchdog {
		return
	}
	now := n.o.Now()
	cause := root(n.world.Alerts, a)
	next := translate(a, cause, now)
	if a.Status == event.AlertFiring && n.o.AckKey != nil {
		next.Annotations["take"] = model.LabelValue(n.link(a, now))
	}
	if words := n.worth.of(a, now); words != "" && cause == "" {
		next.Annotations["worth"] = model.LabelValue(words)
	}
	if step := n.step(a, now); step != nil && cause == "" {
		next.Labels["escalated_to"] = model.LabelValue(step.To)
		next.Annotations["escalation"] = model.LabelValue(step.words())
	}
	list := []model.Alert{next}
	if old := n.labels[a.ID]; old != nil && !old.Equal(next.Labels) {
		was := next
		was.Labels, was.EndsAt = old, now
		was.Annotations = next.Annotations.Clone()
		was.Annotations["replaced"] = "yes"
		list = append(list, was)
	}
	n.labels[a.ID] = next.Labels
	if a.Status == event.AlertResolved {
		delete(n.labels, a.ID)
		delete(n.steps, a.ID)
	}
	if err := n.tell.mute(context.Background(), a, now); err != nil {
		n.o.Logger.Warn("silence not set", zap.Error(err))
	}
	if err := n.tell.put(context.Background(), now, list); err != nil {
		n.metrics.failed.Inc()
		n.o.Logger.Warn("alert not handed on; it will be again", zap.String("alert", a.ID), zap.Error(err))
	}
}

// link takes the alert as it occurs now. It ends on a whole hour, so that what
// is affirmed each minute does not differ each minute.
func (n *Notifier) link(a *event.Alert, now time.Time) string {
	return n.o.AckKey.Link(n.o.Console, acklink.Claim{
		Alert: a.ID, Tenant: a.Tenant, Integration: a.Integration, Since: int64(a.Since), Expires: now.Add(n.o.AckFor).Truncate(time.Hour).Unix(),
	})
}

// affirm says again what still stands, and watches the watchdog.
func (n *Notifier) affirm(ctx context.Context) {
	ticker := time.NewTicker(n.o.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		n.mu.Lock()
		if n.caughtUp {
			n.all()
		}
		n.watchdog()
		n.mu.Unlock()
	}
}

// deadline is how late a watchdog may be. Notify is a consumer like any other:
// its page does not depend on those it watches.
const deadline = 3 * time.Minute

func (n *Notifier) watchdog() {
	now := n.o.Now()
	dogs := map[string]time.Time{}
	for _, a := range n.world.Alerts {
		if a.Rule == event.RuleWatchdog {
			dogs[a.Tenant] = event.Time(a.ObservedAt).Std()
		}
	}
	if len(dogs) == 0 { // none was ever heard: the broker itself may be away
		dogs[""] = n.since
	}
	for tenant, last := range dogs {
		late := now.Sub(last)
		n.metrics.silence.WithLabelValues(tenant).Set(late.Seconds())
		a := event.Alert{
			ID: event.AlertID("watchdog.absent", tenant), Status: event.AlertFiring, Severity: event.Page, Priority: event.P1,
			Rule: "watchdog.absent", Tenant: tenant, Subject: tenant, Since: event.JSONTime(event.At(last)), ObservedAt: event.JSONTime(event.At(now)),
			Seq: last.Unix(), Attribution: event.ByPipeline, Confidence: 1,
			Summary:   fmt.Sprintf("Plumbline itself is silent for %s: nothing below is watched", late.Round(time.Second)),
			FirstStep: "look at the process role and at Kafka: `plumbline doctor`", ConsoleURL: n.o.Console,
		}
		told := n.labels[a.ID] != nil
		switch {
		case late > deadline:
			n.pass(&a)
		case told:
			a.Status, a.Summary = event.AlertResolved, "Plumbline watches again"
			n.pass(&a)
		}
	}
}
