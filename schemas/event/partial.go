package event

// Partial is what track saw in one second of stream time for one integration,
// object, provider, actor and token: small sums that watch folds. Counts are
// of transitions, so they add up however the facts were cut into seconds.
type Partial struct {
	Tenant      string            `msg:"tenant"`
	Integration string            `msg:"integration"`
	Object      string            `msg:"object,omitempty"`
	Provider    string            `msg:"provider,omitempty"` // the system called
	Actor       Actor             `msg:"actor"`
	Token       string            `msg:"token,omitempty"`
	Second      Time              `msg:"second"`
	Attempts    []AttemptCount    `msg:"attempts,omitempty"`
	Failures    []FailureCount    `msg:"failures,omitempty"`
	Deliveries  []DeliveryCount   `msg:"deliveries,omitempty"`
	Latencies   []LatencyCount    `msg:"latencies,omitempty"`
	Tries       []TryCount        `msg:"tries,omitempty"`
	Divergences []DivergenceCount `msg:"divergences,omitempty"`
	Changes     []ChangeCount     `msg:"changes,omitempty"`
	Version     uint64            `msg:"version"` // offset of the last input counted
}

// AttemptCount counts attempts of one operation that ended alike.
type AttemptCount struct {
	Minute      Time   `msg:"m"` // of occurred_at: late reports count where they happened
	Operation   string `msg:"op"`
	Granularity string `msg:"g,omitempty"`
	Outcome     string `msg:"o"`
	First       bool   `msg:"f,omitempty"` // first try of its change
	Collateral  bool   `msg:"c,omitempty"` // not written, but no failure of its own
	N           int64  `msg:"n"`           // attempts, or records of run reports
}

// FailureCount counts failures of one fingerprint.
type FailureCount struct {
	Minute         Time     `msg:"m"`
	Fingerprint    string   `msg:"fp"`
	Class          string   `msg:"class"`
	Recoverability string   `msg:"rec"`
	Attribution    string   `msg:"att"`
	Confidence     float64  `msg:"conf,omitempty"`
	Origin         string   `msg:"origin"`
	Rule           string   `msg:"rule,omitempty"`
	Operation      string   `msg:"op,omitempty"`
	Status         int      `msg:"status,omitempty"`
	Code           string   `msg:"code,omitempty"`
	Message        string   `msg:"message,omitempty"` // of the first one
	Evidence       string   `msg:"evidence,omitempty"`
	FirstStep      string   `msg:"step,omitempty"`
	Collateral     bool     `msg:"c,omitempty"`
	N              int64    `msg:"n"`
	Records        []string `msg:"records,omitempty"`  // distinct record keys, all of them
	Loose          []string `msg:"loose,omitempty"`    // of those, the ones whose change nobody saw: no delivery tells how it ends
	Unlinked       int64    `msg:"unlinked,omitempty"` // failures without a record
	First          Time     `msg:"first"`              // earliest occurred_at
	Last           Time     `msg:"last"`
}

// DeliveryCount counts deliveries that went from one state to another.
type DeliveryCount struct {
	Due     Time     `msg:"due"`           // minute of the deadline: where the delivery counts
	Was     string   `msg:"was,omitempty"` // empty: it opened
	State   string   `msg:"state"`
	Series  string   `msg:"series,omitempty"`
	Late    bool     `msg:"late,omitempty"`
	N       int64    `msg:"n"`
	Oldest  Time     `msg:"oldest,omitempty"`  // earliest changed_at
	Settled Time     `msg:"settled,omitempty"` // the latest of them got there, by its own time
	Records []string `msg:"records,omitempty"` // all record keys, where there is or was trouble
}

// LatencyCount counts deliveries measured on one basis; N is negative where a
// measurement is taken back.
type LatencyCount struct {
	Due    Time   `msg:"due"`
	Basis  string `msg:"basis"`
	Series string `msg:"series,omitempty"`
	Bucket int    `msg:"b"`            // see LatencyBucket
	OnTime bool   `msg:"ok,omitempty"` // under the integration's latency target
	Within int64  `msg:"w,omitempty"`  // ms the latency is known to, whole seconds
	N      int64  `msg:"n"`
}

// TryCount adds up what deliveries due in one minute took, whatever their state.
type TryCount struct {
	Due      Time   `msg:"due"`
	Series   string `msg:"series,omitempty"`
	Received int64  `msg:"r,omitempty"` // latency starts at receipt: the source states no time
	Tried    int64  `msg:"d,omitempty"` // deliveries with an attempt
	Tries    int64  `msg:"t,omitempty"` // attempts
	First    int64  `msg:"f,omitempty"` // acknowledged with one attempt
}

// DivergenceCount counts divergences that went from one state to another.
type DivergenceCount struct {
	Minute      Time     `msg:"m"` // of the transition
	Field       string   `msg:"field,omitempty"`
	Kind        string   `msg:"kind"`
	Difference  string   `msg:"difference,omitempty"`
	Class       string   `msg:"class,omitempty"`
	Was         string   `msg:"was,omitempty"` // empty: it is new
	State       string   `msg:"state"`
	PreExisting bool     `msg:"pre,omitempty"`
	N           int64    `msg:"n"`
	Records     []string `msg:"records,omitempty"` // record keys, all of them
	First       Time     `msg:"first,omitempty"`   // earliest first_seen_at
	Settled     Time     `msg:"settled,omitempty"` // the latest of them got there
	Began       Time     `msg:"began,omitempty"`   // minute in which the systems began to differ
	By          Actor    `msg:"by"`                // who made the change; people are one
	Refused     string   `msg:"rf,omitempty"`      // the field that the answer to the failed write names
	RefusedAs   string   `msg:"rk,omitempty"`      // the class of that failure
	Value       string   `msg:"v,omitempty"`       // the commonest value of the source, where it can be read
	ValueN      int64    `msg:"vn,omitempty"`      // by how many it outnumbers the others
	Made        Time     `msg:"made,omitempty"`    // when the records were made, where that was followed
}

// ChangeCount counts changes of a field by the partial's actor, the sync's own
// writes excepted: what may have come to differ.
type ChangeCount struct {
	Minute Time   `msg:"m"`               // of changed_at
	Field  string `msg:"field,omitempty"` // the source's name of it, empty = the record as a whole
	N      int64  `msg:"n"`
}

// Crowd is the actor as causes are told apart: machines by name, people as one.
func (a Actor) Crowd() Actor {
	if a.Kind == ActorUser || a.Kind == ActorIntegration || a.Kind == ActorUnknown {
		return Actor{Kind: a.Kind}
	}
	return a
}

// MaxSample bounds the record keys of evidence; MaxKeys those of a count that
// names all: whoever counts begins another partial instead of dropping one.
const (
	MaxSample = 16
	MaxKeys   = 1024
)

// EventType implements Event.
func (*Partial) EventType() Type { return TypePartial }

// Validate implements Event.
func (p *Partial) Validate() error {
	return firstError(required("integration", p.Integration), known("second", p.Second))
}

// Trouble reports whether a delivery in this state is held up or wrong.
func Trouble(state string) bool {
	return state == StateAttempted || state == StateFailed || state == StateStalled || state == StateNotApplied
}
