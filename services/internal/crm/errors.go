package crm

import (
	"errors"
	"fmt"
	"time"
)

// Kind is what an error asks its caller to do.
type Kind string

// Kinds of errors.
const (
	KindAuth    Kind = "auth"    // the credential is refused: a person has to look
	KindScope   Kind = "scope"   // the credential is good, a permission is missing
	KindSchema  Kind = "schema"  // the object or field is not there
	KindLimit   Kind = "limit"   // the account's limit: wait for After
	KindBudget  Kind = "budget"  // our own share of it is used up: wait for After
	KindOutage  Kind = "outage"  // the system failed, or answered nonsense: passes
	KindNetwork Kind = "network" // no answer: passes, unless the address is wrong
	KindGone    Kind = "gone"    // the thing is not there (any more)
	KindRefused Kind = "refused" // this call is wrong; repeating it does not help
)

// Error is a call that failed, with the decision it carries.
type Error struct {
	Kind    Kind
	System  string
	Status  int // HTTP, 0 without an answer
	Code    string
	Message string
	After   time.Duration // not before
	Spent   bool          // the account's day is used up: trying again is the caller's affair
	Err     error
}

func (e *Error) Error() string {
	text := e.Message
	if e.Code != "" && e.Code != e.Message {
		text = e.Code + ": " + text
	}
	if e.Status != 0 {
		return fmt.Sprintf("%s answered %d: %s", e.System, e.Status, text)
	}
	return e.System + ": " + text
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf is the decision an error carries; "" for errors of other origin.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// AfterOf is how long to wait before the next call.
func AfterOf(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.After
	}
	return 0
}

// Passes reports whether the same call may succeed later without anybody's
// doing.
func Passes(err error) bool {
	switch KindOf(err) {
	case KindLimit, KindBudget, KindOutage, KindNetwork:
		return true
	}
	return false
}
