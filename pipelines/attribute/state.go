package attribute

import "plumbline.dev/schemas/event"

// Line is an integration's calls to one provider with one token.
type Line struct {
	Tenant      string     `msg:"t"`
	Integration string     `msg:"i"`
	Provider    string     `msg:"p"`
	Token       string     `msg:"k,omitempty"`
	Seen        event.Time `msg:"s"`            // last call
	OK          event.Time `msg:"ok,omitempty"` // last success, refreshes aside
	OKs         int64      `msg:"on,omitempty"` // successes since it is known
	RefreshOK   event.Time `msg:"ro,omitempty"`
	RefreshDown event.Time `msg:"rd,omitempty"` // the login host failed, or did not answer
	Refused     event.Time `msg:"rf,omitempty"` // first of the refusals in a row
	RefusedLast event.Time `msg:"rl,omitempty"`
	RefusedN    int64      `msg:"rn,omitempty"`
	Places      []Place    `msg:"pl,omitempty"`
	Spells      []Spell    `msg:"sp,omitempty"`
}

// Place is one kind of call: what is done to which object.
type Place struct {
	Object    string     `msg:"o"`
	Operation string     `msg:"op"`
	OK        event.Time `msg:"ok,omitempty"`
	Bad       event.Time `msg:"b,omitempty"`
	Healed    bool       `msg:"h,omitempty"` // it succeeded since it failed last
}

// Spell is a run of failures of one class.
type Spell struct {
	Class    string     `msg:"c"`
	Start    event.Time `msg:"s"`
	Last     event.Time `msg:"l"`
	N        int64      `msg:"n"`
	OK       int64      `msg:"ok,omitempty"` // successes of the line since it began
	Flaps    int64      `msg:"f,omitempty"`  // places that failed, succeeded and failed again
	Customer int64      `msg:"cu,omitempty"` // answers that name the customer's doing
	Vendor   int64      `msg:"ve,omitempty"` // answers that name the vendor's
	Dead     int64      `msg:"de,omitempty"` // answers that call it permanent
	Shape    Shape      `msg:"sh,omitempty"` // of data errors
	Leaning  string     `msg:"le,omitempty"` // what the last judgement would say
	Since    event.Time `msg:"si,omitempty"` // since when it has been leaning so
	Said     Said       `msg:"v,omitempty"`  // the verdict as it was last written
}

// Shape is what a run of data errors looks like: of a change of ours, or of
// records that are wrong.
type Shape struct {
	Before  int64      `msg:"b,omitempty"`  // successes of the line before it began
	LastOK  event.Time `msg:"ok,omitempty"` // the last of them
	Refused int64      `msg:"r,omitempty"`  // failures with a 4xx, no 408 or 429 among them
	Print   string     `msg:"p,omitempty"`  // fingerprint that may have the majority
	Lead    int64      `msg:"l,omitempty"`  // how far it is ahead of all others
	Records uint64     `msg:"rs,omitempty"` // one bit for each record, by its hash
}

// Said is a verdict as others know it; Revision 0 = none yet.
type Said struct {
	Attribution    string     `msg:"a,omitempty"`
	Recoverability string     `msg:"r,omitempty"`
	Decided        bool       `msg:"d,omitempty"`
	Scope          string     `msg:"s,omitempty"`
	DecidedAt      event.Time `msg:"at,omitempty"`
	Confidence     float64    `msg:"c,omitempty"`
	Evidence       string     `msg:"e,omitempty"`
	Revision       int        `msg:"n,omitempty"`
}

// Note is what a signal said: the last probe of a system, the last deploy, ...
type Note struct {
	At      event.Time `msg:"a"`
	Prev    event.Time `msg:"s,omitempty"` // of a probe: the one before it, if it met the same
	Until   event.Time `msg:"u,omitempty"`
	Result  string     `msg:"r,omitempty"`
	Summary string     `msg:"t,omitempty"`
}

// Wide is a tenant's verdict about a provider as a whole.
type Wide struct {
	Tenant   string     `msg:"t"`
	Provider string     `msg:"p"`
	Start    event.Time `msg:"s"`
	Last     event.Time `msg:"l"`
	Lines    int        `msg:"n"`
	Said     Said       `msg:"v"`
}

// Told is what a tenant said of itself, or was told of the others.
type Told struct {
	Tenant   string             `msg:"t"`
	Provider string             `msg:"p"`
	At       event.Time         `msg:"a"`
	Failing  []string           `msg:"f,omitempty"`
	News     bool               `msg:"w,omitempty"` // nobody was told of it yet
	Asks     bool               `msg:"q,omitempty"` // it fails on: what it was told wants to be told again
	Others   int64              `msg:"n,omitempty"`
	Trouble  int64              `msg:"x,omitempty"`
	Alike    []event.ClassCount `msg:"c,omitempty"`
}
