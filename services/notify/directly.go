package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"
)

// directly tells one receiver of one alert, past grouping and silences: for
// what is told once, like a trial or a digest, and never is over.
func directly(ctx context.Context, name string, i amnotify.Integration, group model.LabelSet, a model.Alert, now time.Time) error {
	ctx = amnotify.WithReceiverName(ctx, name)
	ctx = amnotify.WithGroupKey(ctx, fmt.Sprint(a.Labels[model.AlertNameLabel], group))
	ctx = amnotify.WithGroupLabels(ctx, group)
	ctx = amnotify.WithNow(ctx, now)
	ctx = amnotify.WithFiringAlerts(ctx, []uint64{1})
	ctx = amnotify.WithNotificationReason(ctx, amnotify.ReasonFirstNotification)
	return i.Notify(ctx, alert.New(a, now, false)).Err()
}

// receiversOf are the integrations that labels are routed to, by receiver and
// kind: people/slack[0].
func (s *speaker) receiversOf(labels model.LabelSet) (list []string) {
	s.routed(labels, func(id, _ string, _ amnotify.Integration) { list = append(list, id) })
	return list
}

func (s *speaker) routed(labels model.LabelSet, visit func(id, name string, i amnotify.Integration)) {
	var seen []string
	for _, r := range s.route.Match(labels) {
		name := r.RouteOpts.Receiver
		if slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		for _, i := range s.receiver[name] {
			visit(name+"/"+i.String(), name, i)
		}
	}
}

// once tells each receiver that is missing.
func (s *speaker) once(ctx context.Context, now time.Time, a model.Alert, missing func(string) bool, told func(string) error) (failed error) {
	s.routed(a.Labels, func(id, name string, i amnotify.Integration) {
		if !missing(id) {
			return
		}
		err := directly(ctx, name, i, model.LabelSet{"tenant": a.Labels["tenant"]}, a, now)
		if err == nil {
			err = told(id)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", id, err))
		}
	})
	return failed
}
