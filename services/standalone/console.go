package standalone

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/console"
	"plumbline.dev/services/console/login"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/runbook"
)

func (a *App) startConsole(ctx context.Context) error {
	if !a.o.has(Console) {
		return nil
	}
	gate, err := a.gate()
	if err != nil {
		return err
	}
	door, err := a.consoleDoor()
	if err != nil {
		return err
	}
	letters, err := a.letters()
	if err != nil {
		return err
	}
	key, err := a.ackKey()
	if err != nil {
		return err
	}
	s, err := console.New(console.Options{
		Warehouse: a.db, Listen: a.o.Config.Listen.Console, Hosts: consoleHosts(a.o.Config), AckKey: key, Demo: a.o.Demo != nil,
		Ingest: "http://" + a.o.Config.Listen.Ingest, Integrations: a.o.Config.Integrations, Senders: a.o.Config.Senders,
		Gate: gate, Door: door, Letters: letters, Runbooks: runbook.Open(a.o.Config.Integrations, a.o.ConfigDir, time.Now()),
		Registerer: a.reg, Gatherer: a.reg, Logger: a.log.Named("console"), Now: a.o.Pace.Now,
	})
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	a.stack.OnStop("console", s.Stop)
	a.Addrs.Console = s.Addr()
	return nil
}

// consoleHosts are the names it is reached by, that of its links among them.
func consoleHosts(c *config.Config) []string {
	if u, err := url.Parse(c.Console.URL); err == nil && u.Hostname() != "" {
		return append(slices.Clone(c.Console.Hosts), u.Hostname())
	}
	return c.Console.Hosts
}

// gate knows the people of the configuration, nobody where there are none.
func (a *App) gate() (*login.Gate, error) {
	c := a.o.Config.Console
	var people []login.Known
	for _, p := range c.People {
		k := login.Known{Person: login.Person{Name: p.Name, Role: login.Role(p.Role), Tenants: p.Tenants}}
		if p.Token != "" {
			token, err := a.secrets.Resolve(p.Token)
			if err != nil {
				return nil, fmt.Errorf("console.people: token of %s: %w", p.Name, err)
			}
			k.Token = strings.TrimSpace(string(token))
		}
		people = append(people, k)
	}
	proxy, err := loginProxy(c.Proxy)
	if err != nil {
		return nil, err
	}
	return login.New(people, proxy, time.Now)
}

func loginProxy(c *config.Proxy) (*login.Proxy, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // no proxy is no error
	}
	var from []netip.Prefix
	for _, text := range c.From {
		p, err := cfgload.Prefix(text)
		if err != nil {
			return nil, fmt.Errorf("console.proxy.from: %w", err)
		}
		from = append(from, p)
	}
	return &login.Proxy{Header: c.Header, From: from}, nil
}

// consoleDoor lets clicks through to ingest, as the first configured sender.
// Without one there is nothing to click.
func (a *App) consoleDoor() (console.Door, error) {
	senders := a.o.Config.Senders
	if len(senders) == 0 || len(senders[0].Tokens) == 0 {
		return nil, nil //nolint:nilnil // no sender is no error
	}
	token, err := a.secrets.Resolve(senders[0].Tokens[0])
	if err != nil {
		return nil, fmt.Errorf("senders[0].tokens[0]: %w", err)
	}
	return console.NewDoor(a.ingestURL, strings.TrimSpace(string(token))), nil
}

// letters are opened where ingest runs too: elsewhere the key and the log may
// not be at hand, and the command does it.
func (a *App) letters() (console.Letters, error) {
	if !a.o.has(Ingest) {
		return nil, nil //nolint:nilnil // the page names the command then
	}
	key, err := a.hashKey()
	if err != nil {
		return nil, err
	}
	p, err := a.producer("console")
	if err != nil {
		return nil, err
	}
	return &Letters{DB: a.db, Policy: privacy.NewPolicy(key, a.o.Config.Integrations), Options: a.o, Producer: p}, nil
}

// ingestURL is where ingest listens: known late where it runs here, as
// configured where it runs elsewhere.
func (a *App) ingestURL() string {
	if u := a.ingest.Load(); u != nil {
		return *u
	}
	if a.o.has(Ingest) {
		return ""
	}
	return "http://" + a.o.Config.Listen.Ingest
}
