package hubspot

import (
	"encoding/json"
	"net/http"
)

// Problem is HubSpot's error body.
type Problem struct {
	HTTP          int                 `json:"-"`
	Status        string              `json:"status"`
	Message       string              `json:"message"`
	CorrelationID string              `json:"correlationId,omitempty"`
	Category      string              `json:"category,omitempty"`
	ErrorType     string              `json:"errorType,omitempty"`
	PolicyName    string              `json:"policyName,omitempty"`
	RequestID     string              `json:"requestId,omitempty"`
	Context       map[string][]string `json:"context,omitempty"`
	Errors        []Detail            `json:"errors,omitempty"`
}

// Detail is one thing wrong.
type Detail struct {
	Message string              `json:"message"`
	Code    string              `json:"code,omitempty"`
	In      string              `json:"in,omitempty"`
	Context map[string][]string `json:"context,omitempty"`
}

func (s *Server) problem(status int, category, message string, details ...Detail) Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Problem{
		HTTP: status, Status: "error", Message: message, CorrelationID: s.correlation(), Category: category, Errors: details,
	}
}

// limited is the 429; the caller holds the lock.
func (s *Server) limited(policy, message string) Problem {
	return Problem{
		HTTP: http.StatusTooManyRequests, Status: "error", Message: message, ErrorType: "RATE_LIMIT",
		CorrelationID: s.correlation(), PolicyName: policy, RequestID: s.correlation(),
	}
}

func (s *Server) notFound() (int, any) {
	return http.StatusNotFound, s.problem(http.StatusNotFound, "OBJECT_NOT_FOUND", "resource not found")
}

func (s *Server) bad(message string, details ...Detail) (int, any) {
	return http.StatusBadRequest, s.problem(http.StatusBadRequest, "VALIDATION_ERROR", message, details...)
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	if p, ok := body.(Problem); ok && p.CorrelationID != "" {
		w.Header().Set("X-HubSpot-Correlation-Id", p.CorrelationID)
	}
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away is its own affair
}
