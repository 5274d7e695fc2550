package ingest

import (
	"io"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"plumbline.dev/services/ingest/sources"
)

// answer is the body of a 202.
type answer struct {
	Accepted    int    `json:"accepted"`
	DeadLetters []note `json:"dead_lettered,omitempty"`
	Warnings    []note `json:"warnings,omitempty"`

	soap bool // Salesforce wants its own words
}

type note struct {
	Index  int    `json:"index"`
	Reason string `json:"reason"`
}

// failure is the body of every other answer.
type failure struct {
	Error string `json:"error"`
}

// retryAfter, in seconds: a broker that restarts is back by then.
const retryAfter = "5"

// Shared header values: one allocation less in every answer.
var (
	typeJSON    = []string{"application/json"}
	typeXML     = []string{"text/xml; charset=utf-8"}
	retryHeader = []string{retryAfter}
)

func accept(w http.ResponseWriter, a *answer) {
	h := w.Header()
	if a.soap {
		h["Content-Type"] = typeXML
		_, _ = io.WriteString(w, sources.SOAPAck)
		return
	}
	h["Content-Type"] = typeJSON
	if len(a.DeadLetters) == 0 && len(a.Warnings) == 0 {
		var buf [40]byte
		b := append(strconv.AppendInt(append(buf[:0], `{"accepted":`...), int64(a.Accepted), 10), '}', '\n')
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(b)
		return
	}
	b, _ := json.Marshal(a) // plain data: cannot fail
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(append(b, '\n'))
}

func refuse(w http.ResponseWriter, code int, reason string) {
	w.Header()["Content-Type"] = typeJSON
	b, err := json.Marshal(failure{reason})
	if err != nil { // a stranger's bytes that are no UTF-8 got into the reason
		b = []byte(`{"error":"request refused"}`)
	}
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n'))
}

// busy asks for the request again: our own faults are never the sender's.
func busy(w http.ResponseWriter, reason string) {
	w.Header()["Retry-After"] = retryHeader
	refuse(w, http.StatusServiceUnavailable, reason)
}
