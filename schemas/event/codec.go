package event

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// MaxBytes bounds one message. A decoder refuses more before it allocates.
const MaxBytes = 4 << 20

// New returns an empty message of a type, or nil for a type this version does
// not know: a reader skips it, counted.
func New(t Type) Event {
	switch t {
	case TypeChange:
		return new(Change)
	case TypeAttempt:
		return new(Attempt)
	case TypeObservation:
		return new(Observation)
	case TypeSignal:
		return new(Signal)
	case TypeTick:
		return new(Tick)
	case TypeLink:
		return new(Link)
	case TypeDelivery:
		return new(Delivery)
	case TypeFailure:
		return new(Failure)
	case TypeDivergence:
		return new(Divergence)
	case TypePartial:
		return new(Partial)
	case TypeDeadLetter:
		return new(DeadLetter)
	case TypeCheck:
		return new(Check)
	case TypeClick:
		return new(Click)
	case TypeActivity:
		return new(Activity)
	case TypeAccess:
		return new(Access)
	case TypeAgentState:
		return new(AgentState)
	case TypeReconciliation:
		return new(Reconciliation)
	case TypeBreadth:
		return new(Breadth)
	case TypeVerdict:
		return new(CauseVerdict)
	case TypePulse:
		return new(Pulse)
	case TypeKPIMinute:
		return new(KPIMinute)
	case TypeKPIHour:
		return new(KPIHour)
	case TypeIncident:
		return new(Incident)
	case TypeAlert:
		return new(Alert)
	case TypeExplanation:
		return new(Explanation)
	case TypePosition:
		return new(Position)
	}
	return nil
}

// Encode appends the message's bytes to b.
func Encode(b []byte, e Event) ([]byte, error) {
	out, err := e.MarshalMsg(b)
	if err != nil {
		return b, fmt.Errorf("encode %s: %w", e.EventType(), err)
	}
	return out, nil
}

// Decode reads a message of the given type. The bytes may come from anyone:
// every error is permanent.
func Decode(t Type, b []byte) (Event, error) {
	e := New(t)
	if e == nil {
		return nil, fmt.Errorf("%w: unknown type %q", ErrInvalid, t)
	}
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %s of %d bytes, limit %d", ErrInvalid, t, len(b), MaxBytes)
	}
	rest, err := e.UnmarshalMsg(b)
	if err != nil {
		return nil, fmt.Errorf("%w: decode %s: %w", ErrInvalid, t, msgp.Cause(err))
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %s has %d bytes after its end", ErrInvalid, t, len(rest))
	}
	return e, nil
}
