package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
)

// Digest is the weekly message. It is told by the same receivers as alerts:
// route it by alertname="digest".
type Digest struct {
	Day     time.Weekday
	Hour    int
	Zone    *time.Location
	Tenants []string
	// Read asks ClickHouse.
	Read Read
}

const (
	ruleDigest = "digest"
	// lateness is how long after its time a digest is still worth sending.
	lateness      = 3 * 24 * time.Hour
	digestTimeout = 2 * time.Minute
)

// slot is the newest time at or before now at which a digest was due.
func (d *Digest) slot(now time.Time) time.Time {
	now = now.In(d.Zone)
	back := (int(now.Weekday()) - int(d.Day) + 7) % 7
	at := time.Date(now.Year(), now.Month(), now.Day()-back, d.Hour, 0, 0, 0, d.Zone)
	if at.After(now) {
		at = time.Date(now.Year(), now.Month(), now.Day()-back-7, d.Hour, 0, 0, 0, d.Zone)
	}
	return at
}

// told is what was sent of a digest, on disk: a restart sends the rest.
type told struct {
	Slot time.Time `json:"slot"`
	To   []string  `json:"to"` // tenant/receiver
}

func (n *Notifier) digestFile() string { return filepath.Join(n.o.Data, "digest.json") }

// lastDigest reads what was told. Where nothing ever was, the first digest is
// the next one: there is no week to tell of yet.
func (n *Notifier) lastDigest(slot time.Time) (told, error) {
	var t told
	raw, err := os.ReadFile(n.digestFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t = told{Slot: slot, To: []string{everybody}}
		return t, n.remember(&t)
	case err != nil:
		return t, fmt.Errorf("read which digest was sent: %w", err)
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return t, fmt.Errorf("read which digest was sent: %s: %w; remove the file to begin anew", n.digestFile(), err)
	}
	return t, nil
}

// everybody marks a digest that is not to be sent any more.
const everybody = "*"

// remember is durable when it returns.
func (n *Notifier) remember(t *told) error {
	raw, err := json.Marshal(t)
	if err != nil {
		return err
	}
	next := n.digestFile() + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(next, n.digestFile())
}

// digests sends each week's digest until ctx ends.
func (n *Notifier) digests(ctx context.Context) {
	ticker := time.NewTicker(n.o.Every)
	defer ticker.Stop()
	for {
		if err := n.digest(ctx); err != nil && ctx.Err() == nil {
			n.o.Logger.Warn("digest not sent; it will be tried again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// digest sends what is due and was not sent.
func (n *Notifier) digest(ctx context.Context) error {
	now := n.o.Now()
	slot := n.o.Digest.slot(now)
	last, err := n.lastDigest(slot)
	if err != nil {
		return err
	}
	if !last.Slot.Equal(slot) {
		if last = (told{Slot: slot}); now.Sub(slot) > lateness {
			last.To = []string{everybody}
			return n.remember(&last)
		}
	}
	if slices.Contains(last.To, everybody) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, digestTimeout)
	defer cancel()
	var failed error
	for _, tenant := range n.o.Digest.Tenants {
		a := model.Alert{Labels: model.LabelSet{
			model.AlertNameLabel: ruleDigest, "tenant": model.LabelValue(tenant), "severity": event.Info, "alert_id": digestID(tenant, slot),
		}, StartsAt: slot, GeneratorURL: n.o.Console}
		missing := func(receiver string) bool { return !slices.Contains(last.To, tenant+"/"+receiver) }
		if !slices.ContainsFunc(n.tell.receiversOf(a.Labels), missing) {
			continue
		}
		if a.Annotations, err = n.letter(ctx, tenant, slot); err != nil {
			return err
		}
		failed = errors.Join(failed, n.tell.once(ctx, now, a, missing, func(receiver string) error {
			last.To = append(last.To, tenant+"/"+receiver)
			return n.remember(&last)
		}))
	}
	if failed == nil {
		last.To = append(last.To, everybody)
		return n.remember(&last)
	}
	return failed
}

func digestID(tenant string, slot time.Time) model.LabelValue {
	return model.LabelValue(event.AlertID(ruleDigest, tenant+"/"+slot.UTC().Format(time.DateOnly)))
}

// letter writes a tenant's digest of the week before slot.
func (n *Notifier) letter(ctx context.Context, tenant string, slot time.Time) (model.LabelSet, error) {
	headline, text, err := n.o.Digest.Letter(ctx, tenant, slot, n.o.Console)
	if err != nil {
		return nil, fmt.Errorf("read the week for the digest: %w", err)
	}
	return model.LabelSet{
		"summary": model.LabelValue(headline), "digest": model.LabelValue(text), "console": model.LabelValue(n.o.Console),
		"idempotency_key": digestID(tenant, slot),
	}, nil
}

// Letter is what a tenant is told of the week before slot.
func (d *Digest) Letter(ctx context.Context, tenant string, slot time.Time, console string) (headline, text string, err error) {
	w, err := d.week(ctx, tenant, slot)
	if err != nil {
		return "", "", err
	}
	return w.headline(), strings.TrimSpace(w.text(console)), nil
}
