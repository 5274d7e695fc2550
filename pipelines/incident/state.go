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
	HealedAt  event.Time     `msg:"h,omitempty"` // nothing is known to be wrong since
	RightAt   event.Time     `msg:"e,omitempty"` // the last record became right, by its own time
	TicketAt  event.Time     `msg:"t,omitempty"` // last time it was told
	Changed   bool           `msg:"c,omitempty"` // there is something to tell
	Urgent    bool           `msg:"u,omitempty"` // at once
	Asked     bool           `msg:"a,omitempty"` // checks were asked for since the last failure
	Closed    bool           `msg:"x,omitempty"` // a person closed it
	Recheck   bool           `msg:"r,omitempty"` // a person asked for checks
	Predicate string         `msg:"p,omitempty"`
	Group     string         `msg:"g,omitempty"`  // what it is one trouble of
	Nature    string         `msg:"n,omitempty"`  // bent or lost, once known
	Decided   bool           `msg:"d,omitempty"`  // a verdict says whose fault it is
	Answer    string         `msg:"an,omitempty"` // of the provider, the first one's
	Members   []Member       `msg:"m,omitempty"`  // objects or fields in it, sorted by name
	Classes   []Member       `msg:"cl,omitempty"` // of its failures, sorted by name
	Prints    []string       `msg:"fp,omitempty"` // fingerprints of its failures, up to maxMembers
}

// Member is one of the things an incident is made of.
type Member struct {
	Name string `msg:"n"`
	N    int64  `msg:"c"`
}

// Past is when incidents of one fingerprint were opened.
type Past struct {
	Opened []event.Time `msg:"o"`
	Told   bool         `msg:"t,omitempty"` // that it recurs without a runbook
}
