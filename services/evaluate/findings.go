package evaluate

// Findings are what Plumbline says, as plain data. A nil slice with its name
// in Missing was not there to be read.
type Findings struct {
	Deliveries   []Delivery
	Divergences  []Divergence
	Failures     []Failure
	Explanations []Explanation
	Incidents    []IncidentRow
	Verdicts     int
	KPIs         map[string]KPI // integration + "/" + name
	Tripped      []string       // agents' runs that tripped
	Alerts       []Alert
	Listed       []Silent           // silent failures as listed at the end
	Retries      map[string]Habits  // by integration
	Surface      map[string]Surface // of the source, by integration
	Missing      map[string]string  // what is not there -> why
}

// Delivery is a row of deliveries.
type Delivery struct {
	ID          string `ch:"delivery_id"`
	Integration string `ch:"integration"`
	State       string `ch:"state"`
	UpdatedAt   int64  `ch:"updated_ms"`
	LatencyMS   int64  `ch:"latency"`
	Late        bool   `ch:"late"`
}

// Divergence is a row of divergences; times are milliseconds, 0 = never.
type Divergence struct {
	ID          string `ch:"divergence_id"`
	Integration string `ch:"integration"`
	Object      string `ch:"object"`
	SourceID    string `ch:"source_id"`
	TargetID    string `ch:"target_id"`
	Field       string `ch:"field"`
	Kind        string `ch:"kind"`
	Difference  string `ch:"difference"`
	State       string `ch:"state"`
	Cause       string `ch:"cause"`
	FirstSeen   int64  `ch:"first_seen"`
	Confirmed   int64  `ch:"confirmed"`
	Resolved    int64  `ch:"resolved"`
}

// Silent is a row of silent_failures.
type Silent struct {
	Integration string `ch:"integration"`
	Object      string `ch:"object"`
	SourceID    string `ch:"source_id"`
	FoundAt     int64  `ch:"found_ms"`
}

// Failure is a row of failures that stands for an attempt.
type Failure struct {
	AttemptID      string `ch:"attempt_id"`
	Integration    string `ch:"integration"`
	Class          string `ch:"class"`
	Recoverability string `ch:"recoverability"`
	Attribution    string `ch:"attribution"`
}

// Explanation is a row of explanations, unexplained ones left out.
type Explanation struct {
	Integration string `ch:"integration"`
	Cause       string `ch:"cause"`
	Rank        uint32 `ch:"place"`
}

// Habits are how an integration tries again, from retry_health.
type Habits struct {
	Integration string `ch:"integration"`
	Attempts    uint64 `ch:"attempts"`
	Records     uint64 `ch:"records"`
	Retried     uint64 `ch:"retried"`
	Repeated    uint64 `ch:"repeated"` // records whose permanent error was repeated
	Unsafe      uint64 `ch:"unsafe"`   // creates repeated without a key after an outcome that nobody knows
	Early       uint64 `ch:"early"`    // tries before the time that Retry-After named
}

// Surface is what an integration touches in the source, from
// integration_surface.
type Surface struct {
	Integration string `ch:"integration"`
	Records     uint64 `ch:"records"`
	Objects     uint64 `ch:"objects"`
	Shared      uint64 `ch:"shared"` // fields with more than one writer
}

// IncidentRow is a row of incidents.
type IncidentRow struct {
	ID          string `ch:"incident_id"`
	Integration string `ch:"integration"`
	Class       string `ch:"class"`
	Onset       int64  `ch:"onset"`
	Detected    int64  `ch:"detected"`
	Resolved    int64  `ch:"resolved"`
}

// Alert is an alert that fired.
type Alert struct {
	Rule        string `ch:"rule"`
	Integration string `ch:"integration"`
	Since       int64  `ch:"since_ms"`
}

// KPI is one integration's value over the whole run.
type KPI struct {
	Value  float64
	Known  bool
	Beside map[string]float64
}

// Add adds earlier openings of differences that came back: the table has one
// row for all of them, the last one's. Of one opening the last word counts.
func (f *Findings) Add(openings []Divergence) {
	type opening struct {
		id string
		at int64
	}
	at := map[opening]int{}
	for i, d := range f.Divergences {
		at[opening{d.ID, d.Confirmed}] = i
	}
	rows := len(f.Divergences)
	for _, d := range openings {
		i, known := at[opening{d.ID, d.Confirmed}]
		switch {
		case !known:
			at[opening{d.ID, d.Confirmed}] = len(f.Divergences)
			f.Divergences = append(f.Divergences, d)
		case i >= rows:
			f.Divergences[i] = d
		}
	}
}
