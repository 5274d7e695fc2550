package standalone

import (
	"context"
	"path/filepath"
	"time"

	"plumbline.dev/schemas/config"
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
	o.Source, o.Data, o.Logger, o.Registerer = source, a.o.Data, a.log.Named("notify"), a.reg
	n, err := notify.New(o)
	if err != nil {
		return err
	}
	a.stack.Go("notify", n.Run)
	return nil
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

func consoleURL(c *config.Config) string { return "http://" + c.Listen.Console }
