package event

// Kinds of cause beside those of signals.
const (
	CauseVerdictKind = "verdict"     // whose fault failures were, over an interval
	CauseUnexplained = "unexplained" // nothing on the timeline fits
)

// Explanation says what made records differ: one cause, one field of one
// object, and the divergences that began in an interval. The same rows are
// selected by Object, Field, From, To and By in ClickHouse. A changed one has the
// same ID; Divergences 0 takes it back.
type Explanation struct {
	ID          string  `msg:"id"`
	Tenant      string  `msg:"tenant,omitempty"`
	Integration string  `msg:"integration"`
	Object      string  `msg:"object,omitempty"`
	Field       string  `msg:"field,omitempty"`
	Kind        string  `msg:"kind"` // of the signal, or one of the above
	CauseID     string  `msg:"cause_id,omitempty"`
	Cause       string  `msg:"cause,omitempty"` // in a few words
	CauseAt     Time    `msg:"cause_at,omitempty"`
	FirstAt     Time    `msg:"first_at,omitempty"` // the first of the differences began
	Rank        int     `msg:"rank"`               // 1 = the likeliest
	From        Time    `msg:"from"`               // began_at of the divergences it is about
	To          Time    `msg:"to,omitempty"`
	By          Actor   `msg:"by"` // made by this actor; empty = by anybody
	Divergences int64   `msg:"n"`  // it explains
	Of          int64   `msg:"of"` // that the field has, in the time looked at
	Exposed     int64   `msg:"exposed,omitempty"`
	Outside     int64   `msg:"outside,omitempty"`         // divergences where it does not reach
	OutsideOf   int64   `msg:"outside_exposed,omitempty"` // of so many changes
	Witnesses   int64   `msg:"witnesses,omitempty"`       // of the divergences: the target answered so to the write
	Ratio       float64 `msg:"ratio,omitempty"`           // risk inside to outside
	Low         float64 `msg:"low,omitempty"`             // its 95 % interval
	High        float64 `msg:"high,omitempty"`
	Sentence    string  `msg:"sentence"`
	FirstStep   string  `msg:"first_step,omitempty"`
	SQL         string  `msg:"sql,omitempty"` // lists the rows
	UpdatedAt   Time    `msg:"updated_at"`
	Version     uint64  `msg:"version"`
}

// EventType implements Event.
func (*Explanation) EventType() Type { return TypeExplanation }

// Validate implements Event.
func (x *Explanation) Validate() error {
	return firstError(required("id", x.ID), required("integration", x.Integration), required("kind", x.Kind), known("from", x.From))
}
