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
	"plumbline.dev/services/internal/warehouse"
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
	if c.Digest != nil {
		if o.Digest, err = DigestOf(a.o.Config, a.db); err != nil {
			return err
		}
	}
	o.AckFor = time.Duration(c.AckFor)
	if a.db != nil {
		o.Read = a.db.Read
	}
	o.Source, o.Data, o.Logger, o.Registerer = source, a.o.Data, a.log.Named("notify"), a.reg
	n, err := notify.New(o)
	if err != nil {
		return err
	}
	a.stack.Go("notify", n.Run)
	return nil
}

// DigestOf is the weekly message as configured, or for who asks without.
func DigestOf(c *config.Config, db *warehouse.DB) (*notify.Digest, error) {
	when := config.Digest{}
	if c.Notify.Digest != nil {
		when = *c.Notify.Digest
	}
	zone, err := time.LoadLocation(when.Zone)
	if err != nil {
		return nil, fmt.Errorf("notify.digest.zone: %w", err)
	}
	d := &notify.Digest{Day: time.Monday, Hour: when.Hour, Zone: zone, Read: db.Read}
	if i := slices.Index(config.Weekdays, when.Day); i >= 0 {
		d.Day = time.Weekday(i)
	}
	for i := range c.Integrations {
		d.Tenants = append(d.Tenants, c.Integrations[i].TenantOrDefault())
	}
	slices.Sort(d.Tenants)
	d.Tenants = slices.Compact(d.Tenants)
	return d, nil
}

// NotifyOptions are the options that the configuration decides.
func NotifyOptions(c *config.Config, dir string, resolve func(config.Secret) ([]byte, error)) notify.Options {
	o := notify.Options{Config: c.Notify, Resolve: resolve, Console: ConsoleURL(c), Escalation: escalations(c, dir)}
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

// ConsoleURL is what links begin with.
func ConsoleURL(c *config.Config) string {
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
