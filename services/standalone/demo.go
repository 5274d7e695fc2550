package standalone

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/simulate"
)

// Demo runs simulated traffic through the real door.
type Demo struct {
	Seed uint64
	Rate float64 // changes a second
}

// demoHistory is what happened before the page is first looked at.
const demoHistory = 40 * time.Minute

// prepareDemo replaces the configured integrations by the demo's: simulated
// traffic never meets real data. Its secrets are made on the first start.
func prepareDemo(o *Options) error {
	if o.Demo == nil {
		return nil
	}
	refs := simulate.DemoRefs{}
	for name, ref := range map[string]*config.Secret{
		"demo-hook.secret": &refs.HookSecret, "demo-sender.secret": &refs.SenderToken,
	} {
		path, err := filepath.Abs(filepath.Join(o.Data, name))
		if err != nil {
			return err
		}
		if err := makeSecret(path); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		*ref = config.Secret("file:" + path)
	}
	cfg, err := simulate.DemoConfig(refs)
	if err != nil {
		return fmt.Errorf("demo configuration: %w", err)
	}
	merged := *o.Config
	merged.Hooks, merged.Senders, merged.Integrations = cfg.Hooks, cfg.Senders, cfg.Integrations
	merged.Connections = nil
	o.Config = &merged
	return nil
}

func makeSecret(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	_, err = f.WriteString(hex.EncodeToString(b[:]) + "\n")
	return errors.Join(err, f.Close())
}

func (a *App) startDemo(context.Context) error {
	if a.o.Demo == nil || a.Addrs.Ingest == "" {
		return nil
	}
	hook, err := a.secrets.Resolve(a.o.Config.Hooks[0].Secrets[0])
	if err != nil {
		return err
	}
	token, err := a.secrets.Resolve(a.o.Config.Senders[0].Tokens[0])
	if err != nil {
		return err
	}
	s, err := simulate.New(simulate.Options{
		Seed: a.o.Demo.Seed, Rate: a.o.Demo.Rate, History: a.history(), IngestURL: "http://" + a.Addrs.Ingest,
		HookSecret: hook, SenderToken: string(token), Integration: &a.o.Config.Integrations[0],
		Logger: a.log.Named("simulate"),
	})
	if err != nil {
		return err
	}
	a.stack.Go("demo traffic", s.Run)
	return nil
}

// history is only played once: a restart goes on from now.
func (a *App) history() time.Duration {
	mark := filepath.Join(a.o.Data, "demo-history")
	if _, err := os.Stat(mark); err == nil {
		return 0
	}
	_ = os.WriteFile(mark, nil, 0o600) // worst case the history is played again
	return demoHistory
}
