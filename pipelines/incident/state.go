package incident

import "plumbline.dev/schemas/event"

// Case is an incident, or what may become one.
type Case struct {
	I         event.Incident `msg:"i"`
	Opened    bool           `msg:"o,omitempty"` // told; before that it is a candidate
	Wrong     []string       `msg:"w,omitempty"` // records not right yet, sorted, up to event.MaxKeys
	Soft      []string       `msg:"s,omitempty"` // records taken on the target's word, sorted
	Over      int64          `msg:"v,omitempty"` // records beyond those
	Loose     int64          `msg:"l,omitempty"` // records or failures whose end no delivery tells
	OKAt      event.Time     `msg:"k,omitempty"` // last success of the integration's writes
	HealedAt  event.Time     `msg:"h,omitempty"` // nothing is wrong since
	TicketAt  event.Time     `msg:"t,omitempty"` // last time it was told
	Changed   bool           `msg:"c,omitempty"` // there is something to tell
	Urgent    bool           `msg:"u,omitempty"` // at once
	Asked     bool           `msg:"a,omitempty"` // checks were asked for since the last failure
	Closed    bool           `msg:"x,omitempty"` // a person closed it
	Recheck   bool           `msg:"r,omitempty"` // a person asked for checks
	Predicate string         `msg:"p,omitempty"`
}

// Past is when incidents of one fingerprint were opened.
type Past struct {
	Opened []event.Time `msg:"o"`
	Told   bool         `msg:"t,omitempty"` // that it recurs without a runbook
}
