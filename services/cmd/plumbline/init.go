package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/connect"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/standalone"
)

// initFlags are what the walk would otherwise have to ask.
type initFlags struct {
	hubspot, salesforce    config.Connection
	token, sfToken         string
	clientID, clientSecret string
	out                    string
	share                  float64
	sample                 int
	force, private         bool
}

func initCommand() *cobra.Command {
	parent := &cobra.Command{Use: "init", Short: "Set up: from credentials to a configuration and a first number", Args: cobra.NoArgs}
	var f initFlags
	cmd := &cobra.Command{
		Use: "hubspot-salesforce", Args: cobra.NoArgs,
		Short: "Two read-only credentials: checks them, proposes keys and fields, writes plumbline.yaml, compares the last modified records",
		RunE:  func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.token, "hubspot-token", "env:HUBSPOT_TOKEN", "private app token, as env:NAME or file:PATH")
	fl.StringVar(&f.salesforce.Domain, "salesforce-domain", "", "the org's own domain, like acme.my.salesforce.com (required)")
	fl.StringVar(&f.clientID, "salesforce-client-id", "env:SF_ID", "consumer key of the connected app, as env:NAME or file:PATH")
	fl.StringVar(&f.clientSecret, "salesforce-client-secret", "env:SF_SECRET", "its secret, as env:NAME or file:PATH")
	fl.StringVar(&f.sfToken, "salesforce-token", "", "an access token instead of a connected app, as env:NAME or file:PATH")
	fl.Float64Var(&f.share, "call-share", 0.05, "part of each account's API calls a day that Plumbline may use")
	fl.IntVar(&f.sample, "sample", 500, "records of each object to look at")
	fl.StringVar(&f.out, "out", defaultConfig, "where to write the configuration")
	fl.BoolVar(&f.force, "force", false, "replace files that are there")
	fl.StringVar(&f.hubspot.BaseURL, "hubspot-url", "", "another address than HubSpot's own: a proxy or a simulator")
	fl.StringVar(&f.salesforce.BaseURL, "salesforce-url", "", "another address than the org's own: a proxy or a simulator")
	fl.BoolVar(&f.private, "allow-private", false, "these addresses may be in a private network")
	parent.AddCommand(cmd)
	return parent
}

func (f *initFlags) connections() error {
	if f.salesforce.Domain == "" && f.salesforce.BaseURL == "" {
		return errors.Join(errUsage, errors.New("--salesforce-domain is missing: it is the address you log in to, like acme.my.salesforce.com"))
	}
	f.hubspot.ID, f.hubspot.System, f.hubspot.Token = "hs", "hubspot", config.Secret(f.token)
	f.salesforce.ID, f.salesforce.System, f.salesforce.Token = "sf", "salesforce", config.Secret(f.sfToken)
	if f.sfToken == "" {
		f.salesforce.Auth = &config.Auth{
			Flow: "client_credentials", ClientID: config.Secret(f.clientID), ClientSecret: config.Secret(f.clientSecret),
		}
	}
	for _, c := range []*config.Connection{&f.hubspot, &f.salesforce} {
		c.CallShare, c.AllowPrivate = f.share, f.private
	}
	return nil
}

func (f *initFlags) run(cmd *cobra.Command) error {
	if err := f.connections(); err != nil {
		return err
	}
	if _, err := os.Stat(f.out); err == nil && !f.force {
		return errors.Join(errUsage, fmt.Errorf("%s is there already: choose another with --out, or --force to replace it", f.out))
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	secret := make([]byte, 32) // for this walk only: nothing it hashes is stored
	_, _ = rand.Read(secret)
	key, err := privacy.NewKey(secret)
	if err != nil {
		return err
	}
	o := connect.Options{
		SourceConnection: f.hubspot, TargetConnection: f.salesforce, Privacy: key, Sample: f.sample, Out: cmd.ErrOrStderr(),
	}
	readers, err := standalone.OpenReaders(cfgload.Secrets{Dir: filepath.Dir(f.out)}.Resolve, &f.hubspot, &f.salesforce)
	if err != nil {
		return err
	}
	defer readers.Close()
	o.Source, o.Target = readers.Source, readers.Target
	p, err := connect.Init(ctx, o)
	if err != nil {
		return err
	}
	runbook, err := p.Write(f.out, f.hubspot, f.salesforce, f.force)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "\nWritten: %s and %s.\nNext: look the field map over, then run `plumbline up --config %s`: it compares everything, and keeps watching.\n",
		f.out, runbook, f.out)
	return nil
}
