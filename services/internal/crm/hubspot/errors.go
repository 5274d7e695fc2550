package hubspot

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"plumbline.dev/services/internal/crm"
)

type problem struct {
	Status     string              `json:"status"`
	Message    string              `json:"message"`
	Category   string              `json:"category"`
	ErrorType  string              `json:"errorType"`
	PolicyName string              `json:"policyName"`
	Context    map[string][]string `json:"context"`
	Errors     []struct {
		Message string              `json:"message"`
		Code    string              `json:"code"`
		Context map[string][]string `json:"context"`
	} `json:"errors"`
}

// refusal reads HubSpot's error body; every part of it may be missing.
func refusal(status int, _ http.Header, body []byte) *crm.Error {
	var p problem
	if json.Unmarshal(body, &p) != nil {
		return &crm.Error{Kind: crm.ByStatus(status), Message: crm.Cut(string(body), 200)}
	}
	e := &crm.Error{Kind: crm.ByStatus(status), Code: p.Category, Message: crm.Cut(p.Message, 300)}
	if e.Code == "" {
		e.Code = p.ErrorType
	}
	switch {
	case status == http.StatusTooManyRequests, p.ErrorType == "RATE_LIMIT", p.Category == "RATE_LIMITS", p.PolicyName != "":
		e.Kind, e.After = crm.KindLimit, waits[p.PolicyName]
	case p.Category == "MISSING_SCOPES":
		e.Message = "the token lacks the scope " + strings.Join(scopes(&p), " or ")
	case status == http.StatusBadRequest && strings.Contains(p.Message, "does not exist"),
		status == http.StatusBadRequest && strings.HasPrefix(p.Message, "Unable to infer object type"):
		e.Kind = crm.KindSchema
	}
	return e
}

// waits are how long each limit holds.
var waits = map[string]time.Duration{"TEN_SECONDLY_ROLLING": 10 * time.Second, "SECONDLY": time.Second, "DAILY": time.Hour}

func scopes(p *problem) []string {
	out := slices.Clone(p.Context["requiredGranularScopes"])
	for _, e := range p.Errors {
		out = append(out, e.Context["requiredGranularScopes"]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
