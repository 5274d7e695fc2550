package simulate

import (
	"fmt"
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
		n := "-" + strconv.Itoa(i+1)
		out[i].ID, out[i].Tenant = in.ID+n, in.Tenant+n
		out[i].Source.Hook = in.Source.Hook + n
		out[i].Source.Account = numbered(in.Source.Account, i)
		out[i].Target.Account = fmt.Sprintf("%s%02d%s", in.Target.Account[:5], i, in.Target.Account[7:])
	}
	return out
}

func numbered(account string, i int) string {
	n, err := strconv.Atoi(account)
	if err != nil {
		return account + strconv.Itoa(i)
	}
	return strconv.Itoa(n + i)
}

// ScenarioYAML is a config file for a scenario: hooks, a sender, and an
// integration for each tenant, with the same names as the run has.
func ScenarioYAML(s *scenario.Scenario, r DemoRefs) ([]byte, error) {
	text := string(DemoYAML(r))
	head, block, ok := strings.Cut(text, "integrations:\n")
	hooks, senders, ok2 := strings.Cut(head, "senders:\n")
	if !ok || !ok2 {
		return nil, fmt.Errorf("the bundled demo has no hooks, senders and integrations")
	}
	block = strings.ReplaceAll(block, "attempts: full", "attempts: "+s.Worker.Reports)
	first, err := demoIntegration()
	if err != nil {
		return nil, err
	}
	all := tenants(*first, s)
	var hooked, blocks strings.Builder
	hooked.WriteString(hooks)
	blocks.WriteString(block)
	for _, in := range all[1:] {
		fmt.Fprintf(&hooked, "  - { id: %s, source: hubspot, secrets: [%q], public_url: %q }\n",
			in.Source.Hook, string(r.HookSecret), demoHooks+in.Source.Hook)
		blocks.WriteString(strings.NewReplacer(
			"id: "+first.ID, "id: "+in.ID, "tenant: "+first.Tenant, "tenant: "+in.Tenant, "hook: "+first.Source.Hook, "hook: "+in.Source.Hook,
			`"`+first.Source.Account+`"`, `"`+in.Source.Account+`"`, first.Target.Account, in.Target.Account,
		).Replace(block))
	}
	return []byte(hooked.String() + "senders:\n" + senders + "integrations:\n" + blocks.String()), nil
}
