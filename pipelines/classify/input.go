package classify

import (
	"encoding/json"
	"strings"

	"plumbline.dev/schemas/event"
)

// Input is what is known of one failed call. Only what is set is used.
type Input struct {
	System    string // who was called: hubspot, salesforce, ...; unknown names get the general rules
	Operation string // event.Op*
	Status    int    // HTTP status, 0 = there was no answer
	Code      string
	Message   string
	Body      string
	Headers   []event.Field // names in lower case
	Outcome   string
}

// FromAttempt takes the parts of an attempt that classification reads.
func FromAttempt(a *event.Attempt) Input {
	return Input{
		System: a.System, Operation: a.Operation, Status: a.Status, Code: a.Code,
		Message: a.Message, Body: a.Body, Headers: a.Headers, Outcome: a.Outcome,
	}
}

// Enrich sets the verdict of a failed attempt and leaves every other event
// alone. A verdict that is already there is kept: replay with other rules
// clears it first.
func (c *Classifier) Enrich(ev event.Event) {
	a, ok := ev.(*event.Attempt)
	if !ok || !a.Failed() || a.Verdict != nil {
		return
	}
	in := FromAttempt(a)
	v, said := c.read(&in)
	a.Verdict = &v
	if a.Code == "" { // the body goes, what it said stays
		a.Code = strings.Clone(said.code)
	}
	if a.Message == "" {
		a.Message = unquoted(said.message)
	}
}

const maxMessage = 1000

// unquoted is a string of JSON, bounded and without its escapes.
func unquoted(raw string) string {
	raw = strings.ToValidUTF8(raw[:min(len(raw), maxMessage)], "")
	var text string
	if json.Unmarshal([]byte(`"`+raw+`"`), &text) != nil {
		return strings.Clone(raw)
	}
	return text
}
