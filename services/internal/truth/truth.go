// Package truth is what really happened in a simulated world, as lines of
// JSON. Plumbline is scored against it and never reads it.
package truth

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Kinds of lines.
const (
	Run        = "run"        // first line: seed, start, integration
	Change     = "change"     // a record changed in a system by its own users
	Attempt    = "attempt"    // the worker tried to write
	Write      = "write"      // a write really landed in a system
	Divergence = "divergence" // from At on, a record or field differs with nothing under way
	Resolved   = "resolved"   // ends the divergence of the same id
	Fault      = "fault"      // a fault begins
	FaultEnd   = "fault_end"  // ends the fault of the same id
	Lost       = "lost"       // Changes were never told of
	Set        = "set"        // an object with its mapped fields, to be compared
	Listed     = "listed"     // somebody was shown all of an object in a system
	Incident   = "incident"   // the fault of the same id first hurt a record
	IncidentOK = "incident_end"
	End        = "end" // last line: the run is over
)

// Line is one fact. Ids of changes, attempts and divergences are those that
// Plumbline computes from what it is sent.
type Line struct {
	Kind      string   `json:"kind"`
	ID        string   `json:"id"`
	At        Time     `json:"at"`
	Tenant    string   `json:"tenant,omitempty"`
	Sync      string   `json:"integration,omitempty"`
	System    string   `json:"system,omitempty"`
	Object    string   `json:"object,omitempty"` // the integration's name
	SourceID  string   `json:"source_id,omitempty"`
	TargetID  string   `json:"target_id,omitempty"`
	Operation string   `json:"operation,omitempty"`
	Actor     string   `json:"actor,omitempty"` // kind/id/run
	Mapped    bool     `json:"mapped,omitempty"`
	Held      []string `json:"held,omitempty"`  // fields of a change that the other system holds already
	There     bool     `json:"there,omitempty"` // the other system has the created record already
	Fields    []string `json:"fields,omitempty"`
	Changes   []string `json:"changes,omitempty"` // an attempt or write carries
	Attempt   string   `json:"attempt,omitempty"` // a write came from
	RetryOf   string   `json:"retry_of,omitempty"`
	Try       int      `json:"try,omitempty"`
	Status    int      `json:"status,omitempty"`
	Code      string   `json:"code,omitempty"`
	Outcome   string   `json:"outcome,omitempty"`
	Said      string   `json:"said,omitempty"` // the outcome that the worker reports, where that is another
	Cause     string   `json:"cause,omitempty"`
	Silent    bool     `json:"silent,omitempty"` // no error told of it
	Field     string   `json:"field,omitempty"`
	Type      string   `json:"type,omitempty"` // of a divergence
	Due       bool     `json:"due,omitempty"`  // the deadline of what should have made it equal passed just now
	Source    string   `json:"source_value,omitempty"`
	Target    string   `json:"target_value,omitempty"`
	Seed      uint64   `json:"seed,omitempty"`
	Note      string   `json:"note,omitempty"`

	Reported       bool     `json:"reported,omitempty"` // of an attempt: Plumbline was told
	Token          string   `json:"token,omitempty"`
	Fault          string   `json:"fault,omitempty"`      // id of the fault behind it
	Difference     string   `json:"difference,omitempty"` // of a divergence
	Class          string   `json:"class,omitempty"`      // what a good monitor says
	Recoverability string   `json:"recoverability,omitempty"`
	Attribution    []string `json:"attribution,omitempty"` // each is defensible
	Records        int      `json:"records,omitempty"`     // that an incident hurt
	Keyless        bool     `json:"keyless,omitempty"`     // of an attempt: no idempotency key
	RetryAfter     int64    `json:"retry_after,omitempty"` // seconds that its answer asked to wait
}

// Told is an attempt's outcome as the worker reports it, if it does.
func (l *Line) Told() string {
	if l.Said != "" {
		return l.Said
	}
	return l.Outcome
}

// Time is virtual time in milliseconds, written as RFC 3339.
type Time int64

const layout = "2006-01-02T15:04:05.000Z"

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) {
	return []byte(time.UnixMilli(int64(t)).UTC().Format(layout)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(b []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(b))
	*t = Time(at.UnixMilli())
	return err
}

// Writer writes lines. Its first error stays: a truth with a hole is none.
type Writer struct {
	buf *bufio.Writer
	enc *json.Encoder
	err error
}

// NewWriter makes a writer; nil writes nowhere.
func NewWriter(w io.Writer) *Writer {
	if w == nil {
		w = io.Discard
	}
	buf := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	return &Writer{buf: buf, enc: enc}
}

// Add writes one line.
func (w *Writer) Add(l Line) {
	if w.err == nil {
		w.err = w.enc.Encode(l)
	}
}

// Flush hands on what is buffered and reports the first error.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	if w.err != nil {
		return fmt.Errorf("write truth: %w", w.err)
	}
	return nil
}
