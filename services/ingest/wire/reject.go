package wire

import "fmt"

// Bad is an element that cannot be an event.
type Bad struct {
	Index  int
	Bytes  []byte
	Tenant string // where it is known
	Code   string // one of the codes below, for counting
	Reason string // in words its sender can act on
}

// Codes of dead letters.
const (
	CodeSyntax      = "syntax"      // not JSON
	CodeInvalid     = "invalid"     // JSON, but a field is missing or has another form
	CodeTooBig      = "too_big"     // only its beginning is kept
	CodeIntegration = "integration" // names an integration that is not configured
)

// Reject makes the note of a bad element.
func Reject(i int, element []byte, err error) Bad {
	b := Bad{Index: i, Bytes: element, Code: CodeInvalid, Reason: err.Error()}
	switch {
	case len(element) > MaxElement:
		b.Bytes, b.Code = element[:MaxElement], CodeTooBig
	case IsSyntax(element):
		b.Code = CodeSyntax
	}
	return b
}

// CheckBody refuses a body of which nothing is JSON: it was meant for
// somebody else.
func CheckBody(bad []Bad, total int) error {
	if len(bad) < total {
		return nil
	}
	for i := range bad {
		if bad[i].Code != CodeSyntax {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrSyntax, bad[0].Reason)
}
