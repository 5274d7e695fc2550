package classify

import (
	"encoding/json"
	"strings"

	"plumbline.dev/schemas/event"
)

// maxBatch bounds the records of one answer: no vendor takes more in a call.
const maxBatch = 10_000

// Record is the verdict on one failed record of a batch answer.
type Record struct {
	Index   int    // position in the answer's list
	ID      string // the record's own id or reference, where the answer names it
	Verdict event.Verdict
}

// ClassifyBatch walks an answer that speaks about several records and returns
// the failed ones; those that only fell with a neighbour are Collateral. An
// answer that is no batch is one record, index 0, if it failed at all.
func (c *Classifier) ClassifyBatch(in *Input) []Record {
	list, ok := records(in.Body)
	if !ok {
		if in.Status >= 200 && in.Status < 300 && in.Outcome != event.OutcomeError {
			return nil
		}
		return []Record{{Verdict: c.Classify(in)}}
	}
	var out []Record
	for i, raw := range list[:min(len(list), maxBatch)] {
		var r item
		if json.Unmarshal(raw, &r) != nil || !r.failed() {
			continue
		}
		one := *in
		one.Code, one.Message, one.Body, one.Status = "", "", string(raw), r.status(in.Status)
		out = append(out, Record{Index: i, ID: r.id(), Verdict: c.Classify(&one)})
	}
	return out
}

// lists are the keys under which vendors put per-record answers.
var lists = [...]string{
	"compositeResponse", "compositeResponses", "responses", "errors", "data", "result", "results", "items", "records", "failures",
	"failureMessages", "rows", "entries",
}

// records finds the list of per-record answers. An array whose elements only
// tell what is wrong with one request is none.
func records(body string) ([]json.RawMessage, bool) {
	body = strings.TrimSpace(body)
	if body == "" {
		return nil, false
	}
	if body[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal([]byte(body), &list) != nil || !perRecord(list) {
			return nil, false
		}
		return list, true
	}
	var top map[string]json.RawMessage
	if body[0] != '{' || json.Unmarshal([]byte(body), &top) != nil {
		return nil, false
	}
	for _, key := range lists {
		var list []json.RawMessage
		if raw, ok := top[key]; ok && json.Unmarshal(raw, &list) == nil && (perRecord(list) || beside(top, key)) {
			return list, len(list) > 0
		}
	}
	return nil, false
}

// beside reports HubSpot's form: errors[] next to results[], one per record.
func beside(top map[string]json.RawMessage, key string) bool {
	_, results := top["results"]
	_, counted := top["numErrors"]
	return key == "errors" && (results || counted)
}

func perRecord(list []json.RawMessage) bool {
	for _, raw := range list {
		var r item
		if json.Unmarshal(raw, &r) == nil && r.isRecord() {
			return true
		}
	}
	return false
}

// item is one element of a batch answer, in the shapes vendors use.
type item struct {
	Success     *bool           `json:"success"`
	IsSuccess   *bool           `json:"isSuccess"`
	Status      json.RawMessage `json:"status"`
	HTTPStatus  int             `json:"httpStatusCode"`
	StatusCode  json.RawMessage `json:"statusCode"`
	Code        json.RawMessage `json:"code"`
	Error       json.RawMessage `json:"error"`
	Errors      json.RawMessage `json:"errors"`
	Reasons     json.RawMessage `json:"reasons"`
	ReferenceID string          `json:"referenceId"`
	ID          json.RawMessage `json:"id"`
	Body        json.RawMessage `json:"body"`
	Index       *int            `json:"index"`
	Category    string          `json:"category"`
}

func (r *item) isRecord() bool {
	return r.Success != nil || r.IsSuccess != nil || r.HTTPStatus != 0 || len(r.Reasons) > 0 || r.word() != "" ||
		len(r.Body) > 0 && number(r.Status) > 0 || r.Index != nil && len(r.Error) > 0
}

// word is a status told in words: error, failed, skipped, created, ...
func (r *item) word() string {
	var s string
	if json.Unmarshal(r.Status, &s) != nil {
		return ""
	}
	return strings.ToLower(s)
}

func (r *item) failed() bool {
	switch {
	case r.Success != nil:
		return !*r.Success
	case r.IsSuccess != nil:
		return !*r.IsSuccess
	case r.status(0) >= 300:
		return true
	}
	switch r.word() {
	case "error", "failed", "failure", "skipped", "rejected", "invalid":
		return true
	case "success", "ok", "created", "updated", "deleted", "completed":
		return false
	}
	return present(r.Error) || present(r.Errors) || present(r.Reasons) || r.Category != ""
}

func (r *item) status(outer int) int {
	for _, n := range [...]int{r.HTTPStatus, number(r.Status), number(r.StatusCode)} {
		if n >= 100 && n < 600 {
			return n
		}
	}
	return outer
}

func (r *item) id() string {
	if r.ReferenceID != "" {
		return r.ReferenceID
	}
	return strings.Trim(string(r.ID), `"`)
}

func number(raw json.RawMessage) int {
	var n int
	if json.Unmarshal(raw, &n) != nil {
		return 0
	}
	return n
}

func present(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "[]", "{}", `""`, "false":
		return false
	}
	return true
}
