package pubsub

import (
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"plumbline.dev/services/internal/crm"
)

// kind of failure: what is done about it.
type kind string

const (
	auth    kind = "auth"    // the token was refused: a new one, then patience
	expired kind = "expired" // the place is no longer in the stream
	denied  kind = "denied"  // somebody has to change rights or the channel
	limit   kind = "limit"   // the org's allocation is used up
	network kind = "network" // passes
	refused kind = "refused" // our own log did not take it
)

// errorCode is where Salesforce puts its own word for an error.
const errorCode = "error-code"

var errNotDurable = errors.New("events are not durable")

func kindOf(err error, trailer metadata.MD) kind {
	if errors.Is(err, errNotDurable) {
		return refused
	}
	if crm.KindOf(err) == crm.KindAuth {
		return auth
	}
	code := strings.Join(trailer.Get(errorCode), " ")
	switch status.Code(err) {
	case codes.Unauthenticated:
		return auth
	case codes.InvalidArgument:
		if strings.Contains(code, "replayid") {
			return expired
		}
		return denied
	case codes.PermissionDenied, codes.NotFound, codes.Unimplemented:
		return denied
	case codes.ResourceExhausted:
		return limit
	}
	return network
}

// words are the failure as a person reads it.
func (k kind) words(err error) string {
	text := status.Convert(err).Message()
	switch k {
	case auth:
		return "Salesforce refuses the token of the stream: " + text
	case expired:
		return "Salesforce no longer has the events after the last one taken: they are older than it keeps them"
	case denied:
		return "Salesforce refuses the stream; is Change Data Capture on for the channel, and may the user see it? " + text
	case limit:
		return "the org's allocation of events is used up: " + text
	case refused:
		return err.Error()
	}
	return "the stream broke off: " + text
}
