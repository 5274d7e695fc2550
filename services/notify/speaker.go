package notify

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/labelset"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

const (
	// saveEvery is how often what was told is saved: what a kill -9 may repeat.
	saveEvery = time.Second
	retention = 30 * 24 * time.Hour
	gcEvery   = 30 * time.Minute
)

// speaker is an Alertmanager without its server.
type speaker struct {
	alerts     *mem.Alerts
	silences   *silence.Silences
	inhibitor  *inhibit.Inhibitor
	dispatcher *dispatch.Dispatcher
	stop       chan struct{}
	inhibits   bool // somebody wrote inhibit rules
	receiver   map[string][]amnotify.Integration
	route      *dispatch.Route
	awaited    map[model.LabelValue]bool // causes that the inhibitor knows; only the notifier's goroutine asks
	wg         sync.WaitGroup
}

func newSpeaker(o *Options, conf *amconfig.Config) (*speaker, error) {
	log, rec := slogged(o.Logger), eventrecorder.NopRecorder()
	told, err := nflog.New(nflog.Options{
		SnapshotFile: filepath.Join(o.Data, "told"), Retention: retention, Logger: log, Metrics: o.Registerer,
	})
	if err != nil {
		return nil, fmt.Errorf("read what was told: %w", err)
	}
	s := &speaker{stop: make(chan struct{}), inhibits: len(conf.InhibitRules) > 0, awaited: map[model.LabelValue]bool{}}
	s.silences, err = silence.New(silence.Options{
		SnapshotFile: filepath.Join(o.Data, "silences"), Retention: retention, Logger: log, Metrics: o.Registerer, EventRecorder: rec,
	})
	if err != nil {
		return nil, fmt.Errorf("read silences: %w", err)
	}
	silencer := silence.NewSilencer(s.silences, log, rec)
	s.alerts, err = mem.NewAlerts(context.Background(), gcEvery, 0, silencer, log, rec, o.Registerer, featurecontrol.NoopFlags{})
	if err != nil {
		return nil, err
	}
	tmpl, receivers, err := s.receivers(o, conf)
	if err != nil {
		s.alerts.Close()
		return nil, err
	}
	s.receiver, s.route = receivers, dispatch.NewRoute(conf.Route, nil)
	s.wg.Go(func() { told.Maintenance(saveEvery, filepath.Join(o.Data, "told"), s.stop, nil) })
	s.wg.Go(func() { s.silences.Maintenance(saveEvery, filepath.Join(o.Data, "silences"), s.stop, nil) })
	intervals := intervalsOf(conf)
	s.inhibitor = inhibit.NewInhibitor(s.alerts, conf.InhibitRules, log, rec)
	pipeline := amnotify.NewPipelineBuilder(o.Registerer, featurecontrol.NoopFlags{}, rec).New(
		receivers, func() time.Duration { return 0 }, s.inhibitor, silencer, intervals, remembered{told}, nil)
	s.dispatcher = dispatch.NewDispatcher(s.alerts, s.route, pipeline, intervals,
		func(d time.Duration) time.Duration { return max(d, amnotify.MinTimeout) }, 30*time.Second, nil, log, rec,
		dispatch.NewDispatcherMetrics(false, o.Registerer, featurecontrol.NoopFlags{}), tmpl)
	s.wg.Go(s.inhibitor.Run)
	s.inhibitor.WaitForLoading()
	s.wg.Go(func() { s.dispatcher.Run(time.Now()) })
	s.dispatcher.WaitForLoading()
	return s, nil
}

// remembered keeps what was told for the whole retention, not for two repeats:
// an alert that somebody took is silent for longer than that, and its end must
// still be told.
type remembered struct{ log *nflog.Log }

// Log implements notify.NotificationLog.
func (r remembered) Log(to *nflogpb.Receiver, group string, firing, resolved, muted []uint64, store *nflog.Store, _ time.Duration) error {
	return r.log.Log(to, group, firing, resolved, muted, store, 0)
}

// Query implements notify.NotificationLog.
func (r remembered) Query(params ...nflog.QueryParam) ([]*nflogpb.Entry, error) {
	return r.log.Query(params...)
}

func (s *speaker) receivers(o *Options, conf *amconfig.Config) (*template.Template, map[string][]amnotify.Integration, error) {
	tmpl, err := template.FromGlobs(conf.Templates)
	if err != nil {
		return nil, nil, fmt.Errorf("read templates: %w", err)
	}
	if err := tmpl.Parse(strings.NewReader(words)); err != nil {
		return nil, nil, err
	}
	if tmpl.ExternalURL, err = url.Parse(o.Console); err != nil {
		return nil, nil, fmt.Errorf("console address: %w", err)
	}
	out := map[string][]amnotify.Integration{}
	for _, r := range conf.Receivers {
		list, err := receiver.BuildReceiverIntegrations(r, tmpl, slogged(o.Logger), commoncfg.WithDialContextFunc(guarded(o.Config.AllowPrivate)))
		if err != nil {
			return nil, nil, fmt.Errorf("receiver %s: %w", r.Name, err)
		}
		out[r.Name] = list
	}
	return tmpl, out, nil
}

func intervalsOf(conf *amconfig.Config) *timeinterval.Intervener {
	all := map[string][]timeinterval.TimeInterval{}
	for _, t := range conf.MuteTimeIntervals {
		all[t.Name] = t.TimeIntervals
	}
	for _, t := range conf.TimeIntervals {
		all[t.Name] = t.TimeIntervals
	}
	return timeinterval.NewIntervener(all)
}

// put hands alerts over.
func (s *speaker) put(ctx context.Context, now time.Time, list []model.Alert) error {
	out := make([]*alert.Alert, len(list))
	for i, a := range list {
		out[i] = alert.New(a, now, false)
		s.awaitCause(ctx, &list[i])
	}
	return s.alerts.Put(ctx, out...)
}

// causePatience is how long an explained alert waits for its cause to be known.
const causePatience = 2 * time.Second

// awaitCause holds an alert back until the one that explains it is known to
// the inhibitor, which learns of it on a goroutine of its own. An alert that
// began long ago is told without a group's wait, and would come first.
func (s *speaker) awaitCause(ctx context.Context, a *model.Alert) {
	cause := a.Labels["cause"]
	if !s.inhibits || a.Labels["explained"] != "yes" || s.awaited[cause] || !a.EndsAt.IsZero() && !a.EndsAt.After(time.Now()) {
		return
	}
	s.awaited[cause] = true
	set := labelset.FromModel(a.Labels)
	for until := time.Now().Add(causePatience); !s.inhibitor.Mutes(ctx, set) && time.Now().Before(until); {
		time.Sleep(2 * time.Millisecond)
	}
}

var _ provider.Alerts = (*mem.Alerts)(nil)

// close ends everything and saves what was told.
func (s *speaker) close() {
	s.dispatcher.Stop()
	s.inhibitor.Stop()
	s.alerts.Close()
	close(s.stop)
	s.wg.Wait()
}
