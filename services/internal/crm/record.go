package crm

import (
	"context"

	"plumbline.dev/schemas/event"
)

// Record is one record as a system holds it.
type Record struct {
	ID          string
	Object      string // native name
	CreatedAt   event.Time
	ModifiedAt  event.Time
	StampedAt   event.Time    // what modified-since goes by, where it is another time
	Fields      []event.Field // those asked for, sorted by name; what the system does not hold is null
	Writer      event.Actor   // who modified it last, if the system says
	Deleted     bool
	OutOfScope  bool
	ConvertedTo string // of a converted lead: the contact's id
}

// Field is a value, null where it was not read.
func (r *Record) Field(name string) event.Value {
	if v, ok := event.Find(r.Fields, name); ok {
		return v
	}
	return event.Value{Kind: event.KindNull}
}

// Since is the instant by which the record is found again.
func (r *Record) Since() event.Time { return max(r.StampedAt, r.ModifiedAt) }

// Query says what to read.
type Query struct {
	Object string   // native name
	Fields []string // native names
	Scope  string   // in the system's own words: hs_list:12, or a SOQL condition; marks or leaves out the others
	Since  event.Time
	After  string // where an interrupted All goes on
	Expect int64  // how many records All will find, as Count said; 0 = not known
}

// Page is a part of All, and where the next one begins; empty at the end.
type Page struct {
	Records []Record
	Next    string
	At      event.Time // when the system looked, where that was before the call
}

// Property is a field as a system defines it.
type Property struct {
	Name       string   `json:"name"`
	Label      string   `json:"label,omitempty"`
	Kind       string   `json:"kind"`             // as pipelines/value names kinds
	Type       string   `json:"type,omitempty"`   // in the system's own words
	Length     int      `json:"length,omitempty"` // of text; 0 = not limited, or not known
	Options    []Option `json:"options,omitempty"`
	Closed     bool     `json:"closed,omitempty"` // other values than the options are refused
	ReadOnly   bool     `json:"read_only,omitempty"`
	Required   bool     `json:"required,omitempty"` // a record without it is refused
	Unique     bool     `json:"unique,omitempty"`   // no two records share a value
	References []string `json:"references,omitempty"`
}

// Option is one of a picklist's values that can be chosen.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
}

// Account is whose data the credential reads.
type Account struct {
	ID    string
	User  string // behind the credential
	Daily int64  // API calls a day, 0 = the system does not say
	Used  int64
}

// Reader reads one account of one system. Safe for concurrent use. The Lane
// of the context says for what, see In.
type Reader interface {
	System() string
	Account(ctx context.Context) (Account, error)
	Describe(ctx context.Context, object string) ([]Property, error)
	// Metadata is Describe with all that a change of schema may touch, which
	// may take a call more.
	Metadata(ctx context.Context, object string) (Metadata, error)
	Count(ctx context.Context, q Query) (int64, error)
	// Modified yields, of each query, what was modified at or after its Since,
	// oldest first, also what was deleted where the system tells. A record that
	// changes meanwhile may come twice; none is left out. Each query has its own
	// error.
	Modified(ctx context.Context, qs []Query, yield Yield) []error
	// Together is of how many objects Modified asks in one call.
	Together() int
	// All yields every live record once, in an order that changes do not move.
	// Where what it was reading from is gone, it begins anew, and yields
	// records again.
	All(ctx context.Context, q Query, yield func(Page) error) error
	// Latest is the n records modified last.
	Latest(ctx context.Context, q Query, n int) ([]Record, error)
	// Get reads by id. Those that the system does not hold are not in the answer.
	Get(ctx context.Context, q Query, ids []string) ([]Record, error)
	// Find reads the records in which a field has one of the values.
	Find(ctx context.Context, q Query, field string, values []string) ([]Record, error)
	// Users maps the ids of owners to their e-mail addresses.
	Users(ctx context.Context) (map[string]string, error)
	// Probe makes the cheapest call that proves the credential.
	Probe(ctx context.Context) error
	// Cost estimates the calls that reading n records takes.
	Cost(way Way, n int64) int64
}

// Yield takes records of the query with that index.
type Yield func(of int, records []Record) error

// OneByOne is Modified of a system that is asked an object at a time.
func OneByOne(qs []Query, yield Yield, one func(Query, func([]Record) error) error) []error {
	errs := make([]error, len(qs))
	for i, q := range qs {
		errs[i] = one(q, func(records []Record) error { return yield(i, records) })
	}
	return errs
}

// Way is a way of reading, for Cost.
type Way int

// The ways.
const (
	ByModified Way = iota
	ByAll
	ByID
)
