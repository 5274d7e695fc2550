package agent

import "plumbline.dev/schemas/event"

// Agent is what is known of one agent of one tenant.
type Agent struct {
	Tenant  string     `msg:"tn"`
	Kind    string     `msg:"k"`
	ID      string     `msg:"id"`
	First   Time       `msg:"f"` // first activity
	Last    Time       `msg:"l"`
	Minutes [60]Counts `msg:"m"`
	Hours   [24]Counts `msg:"h"`
	Days    [28]Counts `msg:"d"`
	At      Time       `msg:"at"` // the minute that Minutes ends with
	Peaks   []int64    `msg:"p,omitempty"`
	Runs    []Run      `msg:"r,omitempty"`
	Fields  []Field    `msg:"fl,omitempty"`
	Excused []Excuse   `msg:"x,omitempty"`
	Told    Told       `msg:"t"`
}

// Counts are the sums of a minute, an hour or a day.
//
//msgp:tuple Counts
type Counts struct {
	Writes, Attempts, Failed, Creates, Deletes int64
	Again, Reverts, FieldWrites, Replaced      int64
	Human                                      int64
}

// Run is one run of an agent.
//
//msgp:tuple Run
type Run struct {
	ID     string
	Writes int64
	Last   Time
}

// Field is how an agent wrote one field of late.
//
//msgp:tuple Field
type Field struct {
	Name   string
	Object string
	Hour   int64 // the hour that N counts
	N      int64
	Top    string
	TopN   int64
	Show   string
	Before [2]int64 // N and votes of the same value in the hour before
}

// Excuse is announced work: a bulk import, a planned run.
//
//msgp:tuple Excuse
type Excuse struct {
	ID     string
	From   Time
	To     Time // 0 = until it is told to have ended
	Run    string
	Reason string
}

// Told is the part of the state that others were told of.
//
//msgp:tuple Told
type Told struct {
	State, Rule, Reason, Integration, Object, Field, Run, Token, ResetBy string
	Value, Limit                                                         float64
	Since, Onset, At                                                     Time
}

const (
	// forgetAfter is when an agent that does nothing any more is forgotten.
	forgetAfter = 60 * event.Day
	// tellEvery is how often a tripped agent is told again: a compacted topic
	// must hold it whatever was lost.
	tellEvery = event.Hour
	maxRuns   = 16
	maxWatch  = 48 // fields of one agent
	maxExcuse = 16
	peakHours = 168
)

// Due implements stream.KeyState.
func (a *Agent) Due() event.Time {
	if a.Told.State == event.AgentTripped {
		return a.Told.At + tellEvery
	}
	return a.Last + forgetAfter
}

// Empty implements stream.KeyState.
func (a *Agent) Empty() bool { return a.ID == "" }

func (c *Counts) add(o *Counts) {
	c.Writes += o.Writes
	c.Attempts += o.Attempts
	c.Failed += o.Failed
	c.Creates += o.Creates
	c.Deletes += o.Deletes
	c.Again += o.Again
	c.Reverts += o.Reverts
	c.FieldWrites += o.FieldWrites
	c.Replaced += o.Replaced
	c.Human += o.Human
}

// tried is how much an agent did: what the systems showed or what was
// reported, whichever saw more. Together they would count a write twice.
func (c *Counts) tried() int64 { return max(c.Writes, c.Attempts) }

// roll moves the windows to the minute of now. Buckets stand at their place
// on the clock, so those that were passed over are emptied.
func (a *Agent) roll(now event.Time) {
	minute := int64(now) / event.Minute
	was := int64(a.At) / event.Minute
	if a.At == 0 {
		was = minute
	}
	if minute <= was {
		if a.At == 0 {
			a.At = now
		}
		return
	}
	a.peak(was, minute)
	empty(a.Minutes[:], was, minute)
	empty(a.Hours[:], was/60, minute/60)
	empty(a.Days[:], was/60/24, minute/60/24)
	a.At = now
}

func empty(ring []Counts, was, now int64) {
	for i := was + 1; i <= now && i <= was+int64(len(ring)); i++ {
		ring[i%int64(len(ring))] = Counts{}
	}
}

// peak keeps the busiest minute of each hour that has ended, a week of them:
// the baseline of bursts. Idle hours are left out.
func (a *Agent) peak(was, minute int64) {
	if was/60 == minute/60 {
		return
	}
	var top int64
	for i := was / 60 * 60; i <= was; i++ {
		top = max(top, a.Minutes[i%60].tried())
	}
	if top == 0 {
		return
	}
	if len(a.Peaks) == peakHours {
		a.Peaks = append(a.Peaks[:0], a.Peaks[1:]...)
	}
	a.Peaks = append(a.Peaks, top)
}

// over sums the last n minutes, up to 60, the one under way included.
func (a *Agent) over(n int64) Counts {
	var sum Counts
	minute := int64(a.At) / event.Minute
	for i := minute - n + 1; i <= minute; i++ {
		sum.add(&a.Minutes[(i%60+60)%60])
	}
	return sum
}

// days sums the last n days, the one under way included.
func (a *Agent) days(n int64) Counts {
	var sum Counts
	day := int64(a.At) / event.Day
	for i := day - n + 1; i <= day; i++ {
		sum.add(&a.Days[(i%28+28)%28])
	}
	return sum
}

// day sums the last 24 hours.
func (a *Agent) day() Counts {
	var sum Counts
	for i := range a.Hours {
		sum.add(&a.Hours[i])
	}
	return sum
}
