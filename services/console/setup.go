package console

import (
	"strings"

	"plumbline.dev/schemas/config"
)

// setup is one integration's list of what to do until the first number shows.
type setup struct {
	Name, Route string
	Steps       []step
}

type step struct{ Do, Why, Copy string }

// setupList is what an empty install shows. Zeros would look like good news.
func setupList(list []config.Integration, ingest string) []setup {
	if len(list) == 0 {
		return []setup{{Name: "First integration", Steps: []step{{
			Do:   "Add an integration to the config file and start again.",
			Why:  "Plumbline needs to know which two systems should hold the same records.",
			Copy: "integrations:\n  - id: hubspot-salesforce\n    source: { system: hubspot }\n    target: { system: salesforce }",
		}, {
			Do: "Or look around first: start it with --demo.", Why: "Simulated traffic, in a data folder of its own.", Copy: "plumbline up --demo",
		}}}}
	}
	var out []setup
	for _, c := range list {
		route, _ := endpoints(list, c.Tenant, c.ID)
		out = append(out, setup{Name: c.ID, Route: route, Steps: steps(c, strings.TrimSuffix(ingest, "/"))})
	}
	return out
}

func steps(c config.Integration, ingest string) []step {
	return []step{sourceStep(c.Source, ingest), targetStep(c.Target, ingest), attemptsStep(c, ingest), {
		Do:  "Change a " + objectName(c) + " in " + systemName(c.Source.System) + ".",
		Why: "It shows here within seconds. Rates are judged from 30 changes on, latency against what is usual after 3 hours.",
	}}
}

func objectName(c config.Integration) string {
	if len(c.Objects) > 0 && c.Objects[0].Name != "" {
		return c.Objects[0].Name
	}
	return "record"
}

func sourceStep(e config.Endpoint, ingest string) step {
	name := systemName(e.System)
	if e.Hook != "" {
		return step{
			Do:   "Point " + name + "'s webhook at /hooks/" + e.Hook + ".",
			Why:  "Every change that leaves " + name + " is then measured. " + name + " must reach it: set the hook's public_url where a proxy stands in front.",
			Copy: ingest + "/hooks/" + e.Hook,
		}
	}
	return step{
		Do:   "Send the changes of " + name + " to /v1/changes.",
		Why:  "Or give it a hook in the config (hooks, then source.hook), and point its webhook there.",
		Copy: ingest + "/v1/changes",
	}
}

func targetStep(e config.Endpoint, ingest string) step {
	name := systemName(e.System)
	s := step{Do: "Let Plumbline see what arrives in " + name + ".", Why: "Without it only acknowledgements are known, and silent failures stay silent."}
	switch {
	case e.Hook != "":
		s.Do, s.Copy = "Point "+name+"'s webhook at /hooks/"+e.Hook+".", ingest+"/hooks/"+e.Hook
	case e.Connection != "":
		s.Why = "Connection " + e.Connection + " is configured; it only reads. " + s.Why
	default:
		s.Do, s.Copy = "Send what "+name+" holds to /v1/observations, or its changes to /v1/changes.", ingest+"/v1/observations"
	}
	return s
}

func attemptsStep(c config.Integration, ingest string) step {
	if c.Attempts == config.AttemptsNone {
		return step{
			Do:  "Nothing to do for attempts: nobody reports them here.",
			Why: "Success is measured by whether changes arrive in time.",
		}
	}
	return step{
		Do:   "Let the sync worker report each write attempt to /v1/attempts.",
		Why:  "With the bearer token of a sender from the config. One element is one record and one operation.",
		Copy: ingest + "/v1/attempts",
	}
}
