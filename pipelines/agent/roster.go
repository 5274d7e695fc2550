package agent

import "plumbline.dev/schemas/config"

// roster finds an agent's limits.
type roster []config.Agent

func newRoster(agents []config.Agent) roster {
	all := make(roster, 0, len(agents)+1)
	for _, a := range agents {
		a.Limits = a.Limits.WithDefaults()
		all = append(all, a)
	}
	return append(all, config.Agent{ID: "*", Limits: config.AgentLimits{}.WithDefaults()})
}

// limits are those of the first entry that names the agent; the last entry
// names all.
func (r roster) limits(id string) *config.AgentLimits {
	for i := range r {
		if matches(r[i].ID, id) {
			return &r[i].Limits
		}
	}
	return &r[len(r)-1].Limits
}
