package standalone

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/acklink"
	"plumbline.dev/services/internal/runbook"
	"plumbline.dev/services/notify"
)

// startNotify speaks to people, where the configuration names any.
func (a *App) startNotify(context.Context) error {
	if !a.o.has(Notify) {
		return nil
	}
	c := a.o.Config.Notify
	if c.Slack == "" && c.Email == "" && c.Alertmanager == "" {
		a.log.Info("nobody is told of alerts: set notify.slack, notify.email or notify.alertmanager")
		return nil
	}
	source, err := notify.SourceOf(a.bus, a.o.Config.Kafka, a.secrets.Resolve)
	if err != nil {
		return err
	}
	o := NotifyOptions(a.o.Config, a.o.ConfigDir, a.secrets.Resolve)
	if o.AckKey, err = a.ackKey(); err != nil {
		return err
	}
	if o.Digest, err = a.digest(); err != nil {
		return err
	}
	o.AckFor = time.Duration(c.AckFor)
	o.Source, o.Data, o.Logger, o.Registerer = source, a.o.Data, a.log.Named("notify"), a.reg
	n, err := notify.New(o)
	if err != nil {
		return err
	}
	a.stack.Go("notify", n.Run)
	return nil
}

// digest is the weekly message, nil where none is configured.
func (a *App) digest() (*notify.Digest, error) {
	c := a.o.Config.Notify.Digest
	if c == nil {
		return nil, nil
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("notify.digest.zone: %w", err)
	}
	d := &notify.Digest{Day: time.Monday, Hour: c.Hour, Zone: zone, Read: a.db.Read}
	if i := slices.Index(config.Weekdays, c.Day); i >= 0 {
		d.Day = time.Weekday(i)
	}
	for i := range a.o.Config.Integrations {
		d.Tenants = append(d.Tenants, a.o.Config.Integrations[i].TenantOrDefault())
	}
	slices.Sort(d.Tenants)
	d.Tenants = slices.Compact(d.Tenants)
	return d, nil
}

// NotifyOptions are the options that the configuration decides.
func NotifyOptions(c *config.Config, dir string, resolve func(config.Secret) ([]byte, error)) notify.Options {
	o := notify.Options{Config: c.Notify, Resolve: resolve, Console: consoleURL(c), Escalation: escalations(c, dir)}
	if file := c.Notify.Alertmanager; file != "" && !notify.IsURL(file) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		o.File = file
	}
	return o
}

// escalations are what the runbooks say. One that cannot be read is a gap that
// is told elsewhere, and no reason to tell nobody.
func escalations(c *config.Config, dir string) map[string][]notify.Next {
	out := map[string][]notify.Next{}
	for i := range c.Integrations {
		in := &c.Integrations[i]
		if in.Runbook == "" {
			continue
		}
		book, err := runbook.Load(runbook.Path(in, dir))
		if err != nil {
			continue
		}
		for _, e := range book.Escalation {
			out[in.ID] = append(out[in.ID], notify.Next{Priority: e.Priority, After: time.Duration(e.After), To: e.To})
		}
	}
	return out
}

// consoleURL is what links begin with.
func consoleURL(c *config.Config) string {
	if c.Console.URL != "" {
		return strings.TrimSuffix(c.Console.URL, "/")
	}
	return "http://" + c.Listen.Console
}

// ackKey signs links in messages; nil where none is configured.
func (a *App) ackKey() (acklink.Key, error) {
	ref := a.o.Config.Notify.AckKey
	if ref == "" {
		return nil, nil
	}
	secret, err := a.secrets.Resolve(ref)
	if err != nil {
		return nil, fmt.Errorf("notify.ack_key: %w", err)
	}
	key, err := acklink.NewKey(secret)
	if err != nil {
		return nil, fmt.Errorf("notify.ack_key: %w", err)
	}
	return key, nil
}
