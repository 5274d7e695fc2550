package event

// Kinds of actor. An actor nobody can name is ActorUnknown, never guessed.
const (
	ActorUser        = "user"
	ActorIntegration = "integration"
	ActorAgent       = "agent"
	ActorAutomation  = "automation"
	ActorImport      = "import"
	ActorUnknown     = "unknown"
)

// Actor is who wrote: a person, an integration, an AI agent and its run.
type Actor struct {
	Kind string `msg:"kind,omitempty" json:"kind,omitempty"`
	ID   string `msg:"id,omitempty"   json:"id,omitempty"`
	Run  string `msg:"run,omitempty"  json:"run,omitempty"`
}

// ActorKinds lists every valid kind.
var ActorKinds = []string{ActorUser, ActorIntegration, ActorAgent, ActorAutomation, ActorImport, ActorUnknown}
