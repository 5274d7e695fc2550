package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/model"
	"plumbline.dev/schemas/event"
)

// external is somebody else's Alertmanager. It is sent everything that stands
// each time, with an end that lies ahead: it keeps no state of ours, and what
// is not affirmed ends by itself. Muting is its own business.
type external struct {
	client *http.Client
	url    string
}

const (
	externalTimeout = 10 * time.Second
	// externalFor is how long an affirmation lasts there; Options.Every repeats it.
	externalFor = 5 * time.Minute
)

func newExternal(o *Options, base *url.URL) *external {
	transport := &http.Transport{DialContext: guarded(o.Config.AllowPrivate), MaxIdleConns: 2, IdleConnTimeout: time.Minute}
	return &external{
		client: &http.Client{Timeout: externalTimeout, Transport: transport}, url: base.JoinPath("api/v2/alerts").String(),
	}
}

// posted is an alert as Alertmanager's API takes it.
type posted struct {
	Labels       model.LabelSet `json:"labels"`
	Annotations  model.LabelSet `json:"annotations"`
	StartsAt     time.Time      `json:"startsAt"`
	EndsAt       time.Time      `json:"endsAt"`
	GeneratorURL string         `json:"generatorURL,omitempty"`
}

func (x *external) put(ctx context.Context, now time.Time, list []model.Alert) error {
	out := make([]posted, len(list))
	for i, a := range list {
		out[i] = posted{a.Labels, a.Annotations, a.StartsAt, a.EndsAt, a.GeneratorURL}
		if a.EndsAt.After(now.Add(externalFor)) {
			out[i].EndsAt = now.Add(externalFor)
		}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, externalTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := x.client.Do(req)
	if err != nil {
		return fmt.Errorf("send to Alertmanager: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
		return fmt.Errorf("alertmanager at %s answers %s: %s", x.url, answer.Status, text)
	}
	return nil
}

func (*external) mute(context.Context, *event.Alert, time.Time) error { return nil }

// theirs is all that is known of whom an external Alertmanager tells.
const theirs = "alertmanager"

func (*external) receiversOf(model.LabelSet) []string { return []string{theirs} }

func (x *external) once(ctx context.Context, now time.Time, a model.Alert, _ func(string) bool, told func(string) error) error {
	a.EndsAt = now.Add(externalFor)
	if err := x.put(ctx, now, []model.Alert{a}); err != nil {
		return err
	}
	return told(theirs)
}

func (x *external) close() { x.client.CloseIdleConnections() }
