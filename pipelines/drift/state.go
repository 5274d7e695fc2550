package drift

import "plumbline.dev/schemas/event"

// Cell counts the divergences of one field that began in one minute, by who
// made the change, and by the field for which the target refused it.
type Cell struct {
	Object  string      `msg:"o"`
	Field   string      `msg:"f,omitempty"`
	By      event.Actor `msg:"by"`
	Began   event.Time  `msg:"b"`
	Refused string      `msg:"r,omitempty"` // the field that the answer to the failed write names
	Class   string      `msg:"k,omitempty"` // how that failure was classified
	N       int64       `msg:"n"`
	Value   string      `msg:"v,omitempty"` // the commonest
	ValueN  int64       `msg:"vn,omitempty"`
}

// Flow counts the changes of one field in one day, by slots of it.
type Flow struct {
	N []int64 `msg:"n"`
}

// Candidate is something on the timeline.
type Candidate struct {
	ID      string      `msg:"id"`
	Kind    string      `msg:"k"`
	System  string      `msg:"s,omitempty"`
	Object  string      `msg:"o,omitempty"`
	Field   string      `msg:"f,omitempty"`
	By      event.Actor `msg:"by"`
	Start   event.Time  `msg:"b"`
	Latest  event.Time  `msg:"l,omitempty"` // it happened after Start and by then; 0 = at Start
	End     event.Time  `msg:"e,omitempty"` // 0 = it lasts
	What    string      `msg:"w,omitempty"` // in a few words
	Step    string      `msg:"st,omitempty"`
	Removed []string    `msg:"r,omitempty"` // values it took away
	Writes  int64       `msg:"n,omitempty"` // of a machine at work, seen
}

// Book is what is known of an integration.
type Book struct {
	Tenant  string     `msg:"t,omitempty"`
	Judged  event.Time `msg:"j,omitempty"`
	Changed bool       `msg:"c,omitempty"`
	Last    event.Time `msg:"l,omitempty"` // last time anything was found to differ
	Open    bool       `msg:"o,omitempty"` // something is unexplained
	Cells   int        `msg:"n,omitempty"`
	Causes  int        `msg:"k,omitempty"`
}
