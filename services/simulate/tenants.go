package simulate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/simulate/scenario"
)

// tenants are copies of one integration, each with accounts of its own. The
// first keeps its names.
func tenants(in config.Integration, s *scenario.Scenario) []config.Integration {
	in.Attempts = s.Worker.Reports
	out := make([]config.Integration, max(s.Tenants, 1))
	for i := range out {
		out[i] = in
		if i == 0 {
			continue
		}
		n := suffix(i)
		out[i].ID, out[i].Tenant = in.ID+n, in.Tenant+n
		out[i].Source.Hook = in.Source.Hook + n
		out[i].Source.Account = numbered(in.Source.Account, i)
		out[i].Target.Account = fmt.Sprintf("%s%02d%s", in.Target.Account[:5], i, in.Target.Account[7:])
	}
	return out
}

func suffix(i int) string {
	if i == 0 {
		return ""
	}
	return "-" + strconv.Itoa(i+1)
}

func numbered(account string, i int) string {
	n, err := strconv.Atoi(account)
	if err != nil {
		return account + strconv.Itoa(i)
	}
	return strconv.Itoa(n + i)
}

// Addrs are where one tenant's fake APIs answer.
type Addrs struct{ HubSpot, Salesforce string }

// ScenarioYAML is a config file for a scenario: hooks, a sender, and an
// integration for each tenant, with the same names as the run has. With
// addresses it has connections too, whose secrets WriteConfig leaves beside it.
func ScenarioYAML(s *scenario.Scenario, r DemoRefs, addrs []Addrs) ([]byte, error) {
	head, block, ok := strings.Cut(string(DemoYAML(r)), "integrations:\n")
	hooks, senders, ok2 := strings.Cut(head, "senders:\n")
	first, err := demoIntegration()
	if err != nil || !ok || !ok2 {
		return nil, errors.Join(err, errors.New("the bundled demo cannot be copied"))
	}
	block = strings.ReplaceAll(block, "attempts: full", "attempts: "+s.Worker.Reports)
	if len(addrs) > 0 {
		block = strings.NewReplacer("{ system: hubspot,", "{ system: hubspot, connection: hubspot@N@,",
			"{ system: salesforce,", "{ system: salesforce, connection: salesforce@N@,").Replace(block)
	}
	var more, connections, blocks strings.Builder
	for i, in := range tenants(*first, s) {
		if i > 0 {
			fmt.Fprintf(&more, "  - { id: %s, source: hubspot, secrets: [%q], public_url: %q }\n",
				in.Source.Hook, string(r.HookSecret), demoHooks+in.Source.Hook)
		}
		if i < len(addrs) {
			fmt.Fprintf(&connections, connectionYAML, suffix(i), in.Source.Account, addrs[i].HubSpot, suffix(i), in.Target.Account, addrs[i].Salesforce)
		}
		blocks.WriteString(strings.NewReplacer(
			"id: "+first.ID, "id: "+in.ID, "tenant: "+first.Tenant, "tenant: "+in.Tenant, "hook: "+first.Source.Hook, "hook: "+in.Source.Hook,
			`"`+first.Source.Account+`"`, `"`+in.Source.Account+`"`, first.Target.Account, in.Target.Account, "@N@", suffix(i),
		).Replace(block))
	}
	text := hooks + more.String() + "senders:\n" + senders
	if connections.Len() > 0 {
		text += "connections:\n" + connections.String()
	}
	return []byte(text + "integrations:\n" + blocks.String()), nil
}

const connectionYAML = `  - { id: hubspot%s, system: hubspot, account: %q, token: file:hubspot.token, observe: [hook, poll], base_url: %q, allow_private: true }
  - id: salesforce%s
    system: salesforce
    account: %q
    observe: [poll]
    base_url: %q
    allow_private: true
    auth: { flow: client_credentials, client_id: file:salesforce.id, client_secret: file:salesforce.secret }
`

// ConfigFile is the name under which WriteConfig writes.
const ConfigFile = "plumbline.yaml"

// WriteConfig writes a scenario's config file and its secrets into a folder,
// and returns the file's text.
func WriteConfig(dir string, s *scenario.Scenario, addrs []Addrs, hookSecret, senderToken string) ([]byte, error) {
	text, err := ScenarioYAML(s, DemoRefs{HookSecret: "file:hook.secret", SenderToken: "file:sender.token"}, addrs)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	for name, content := range map[string]string{
		"hook.secret": hookSecret, "sender.token": senderToken, "hubspot.token": HubSpotToken,
		"salesforce.id": SalesforceClientID, "salesforce.secret": SalesforceSecret, ConfigFile: string(text),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	return text, nil
}
