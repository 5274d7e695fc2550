// Package agent watches what machines write, out of band: from the systems'
// own events and the attempts that are reported, so that it also sees agents
// that pass no gateway.
//
// It is two operators. Tally rides in track, record by record: it knows who
// wrote a field last, and counts by the second what each actor did
// (event.Activity, on partials). Watch folds those counts agent by agent,
// trips one that breaks a rule, and tells its state on agent-states, where a
// gateway reads whom to stop. A tripped agent stays so until a person resets it.
package agent

//go:generate go tool msgp -tests=false -io=false -o state_gen.go -file .
