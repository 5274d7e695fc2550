package salesforce

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"plumbline.dev/services/internal/crm"
)

// quiet is how long an account whose day is used up is left alone. A refused
// call counts nowhere, and what differed meanwhile is soon written over once the
// sync may write again: a look should not come much later than that.
const quiet = 30 * time.Second

// refusal reads Salesforce's error: an array, mostly of one. Its limit is a
// 403, so the code goes before the status.
func refusal(status int, _ http.Header, body []byte) *crm.Error {
	var many []struct {
		Code    string `json:"errorCode"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &many) != nil || len(many) == 0 {
		return &crm.Error{Kind: crm.ByStatus(status), Message: crm.Cut(string(body), 200)}
	}
	e := &crm.Error{Kind: crm.ByStatus(status), Code: many[0].Code, Message: crm.Cut(many[0].Message, 300)}
	switch code := many[0].Code; {
	case code == "REQUEST_LIMIT_EXCEEDED":
		e.Kind, e.After, e.Spent = crm.KindLimit, quiet, true
	case strings.HasPrefix(code, "EXCEEDED_MAX_"), code == "TOO_MANY_APEX_REQUESTS":
		e.Kind, e.After = crm.KindLimit, time.Minute
	case code == "INVALID_SESSION_ID", code == "INVALID_AUTH_HEADER":
		e.Kind = crm.KindAuth
	case strings.HasPrefix(code, "API_"), strings.HasPrefix(code, "INSUFFICIENT_ACCESS"):
		e.Kind = crm.KindScope
	case code == "INVALID_FIELD", code == "INVALID_TYPE", code == "MALFORMED_QUERY":
		e.Kind = crm.KindSchema
	case code == "INVALIDJOBSTATE": // of a job that somebody ended
		e.Kind = crm.KindGone
	case code == "QUERY_TIMEOUT", code == "UNABLE_TO_LOCK_ROW", code == "REQUEST_RUNNING_TOO_LONG", code == "SERVER_UNAVAILABLE",
		code == "UNKNOWN_EXCEPTION":
		e.Kind = crm.KindOutage
	}
	return e
}
