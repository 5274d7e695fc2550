package simulate

import (
	_ "embed"
	"strings"

	schema "plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/config"
)

// Names of the bundled demo, as demo.yaml has them.
const (
	DemoTenant      = "demo"
	DemoIntegration = "hubspot-salesforce"
	DemoHook        = "hubspot-demo"
	DemoSender      = "sync-worker"
	// DemoPublicURL is what the fake HubSpot signs; nobody looks it up.
	DemoPublicURL = demoHooks + DemoHook
	demoHooks     = "https://hooks.demo.invalid/hooks/"
)

//go:embed demo.yaml
var demoYAML string

// DemoRefs say where the demo's secrets are: env:NAME or file:PATH, as in any
// configuration.
type DemoRefs struct {
	HookSecret  schema.Secret
	SenderToken schema.Secret // of at least 16 bytes
	PublicURL   string        // empty: DemoPublicURL
}

// DemoYAML is the demo's part of a config file: hook, sender, integration.
func DemoYAML(r DemoRefs) []byte {
	if r.PublicURL == "" {
		r.PublicURL = DemoPublicURL
	}
	return []byte(strings.NewReplacer(
		"@HOOK_SECRET@", string(r.HookSecret), "@SENDER_TOKEN@", string(r.SenderToken), "@PUBLIC_URL@", r.PublicURL,
	).Replace(demoYAML))
}

// DemoConfig is a whole configuration with the demo's integration, checked and
// with defaults filled in; the caller sets addresses and the data folder.
func DemoConfig(r DemoRefs) (*schema.Config, error) {
	return config.Parse("demo.yaml", DemoYAML(r))
}

// demoIntegration is the integration that a run simulates when none is given.
func demoIntegration() (*schema.Integration, error) {
	c, err := DemoConfig(DemoRefs{HookSecret: "env:UNUSED", SenderToken: "env:UNUSED"})
	if err != nil {
		return nil, err
	}
	return &c.Integrations[0], nil
}
