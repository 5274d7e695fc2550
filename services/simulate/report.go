package simulate

import (
	"strconv"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// attempt is the worker's report in Plumbline's own format.
type attempt struct {
	ID             string            `json:"id"`
	Integration    string            `json:"integration"`
	OccurredAt     int64             `json:"occurred_at"`
	System         string            `json:"system"`
	Object         string            `json:"object"`
	Operation      string            `json:"operation"`
	SourceID       string            `json:"source_id,omitempty"`
	TargetID       string            `json:"target_id,omitempty"`
	CallID         string            `json:"call_id,omitempty"`
	Try            int               `json:"try"`
	RetryOf        string            `json:"retry_of,omitempty"`
	IdempotencyKey string            `json:"idempotency_key,omitempty"`
	Status         int               `json:"status"`
	Outcome        string            `json:"outcome"`
	Code           string            `json:"code,omitempty"`
	Message        string            `json:"message,omitempty"`
	Body           string            `json:"body,omitempty"`
	Headers        map[string]string `json:"headers,omitempty"`
	DurationMS     int64             `json:"duration_ms"`
	Actor          event.Actor       `json:"actor"`
	Token          string            `json:"token"`
	Fields         map[string]string `json:"fields,omitempty"`
}

// tokenName is the id of the worker's credential, never the credential.
const tokenName = "sf-sync-oauth"

// report tells Plumbline of one try and notes the truth of it. It returns the
// attempt's id.
func (k *worker) report(c *call, s *sent, a crm.Answer, e *episode, targetID, says string) string {
	r := s.r
	r.try++
	t := attempt{
		ID: "attempt-" + itoa(k.next()), Integration: k.in.ID, OccurredAt: k.Now(),
		System: k.in.Target.System, Object: r.o.Name, Operation: k.operation(s, &a),
		SourceID: r.row.ID, TargetID: targetID, CallID: c.id, Try: r.try, RetryOf: r.first,
		Status: a.Status, Outcome: event.OutcomeOK, Code: a.Code, Message: a.Message, Body: a.Body,
		Headers: map[string]string{"Sforce-Limit-Info": "api-usage=" + itoa(k.usage) + "/1000000"}, DurationMS: k.Now() - c.began,
		Actor: event.Actor{Kind: event.ActorIntegration, ID: k.syncUser()}, Token: tokenName, Fields: s.values,
	}
	if a.Code != "" || !a.OK() {
		t.Outcome = event.OutcomeError
		if row := k.copyOf(r); row != nil && !s.creates { // of what it created unheard, nobody knows the id
			t.TargetID = row.ID
		}
	}
	if r.first == "" {
		r.first = t.ID
	}
	if !k.careless() {
		t.IdempotencyKey = r.row.ID + ":" + r.first
	}
	if a.RetryAfter > 0 {
		t.Headers["Retry-After"] = itoa(a.RetryAfter)
	}
	l := truth.Line{
		Kind: truth.Attempt, ID: t.ID, System: t.System, Object: t.Object, SourceID: t.SourceID, TargetID: t.TargetID,
		Operation: t.Operation, Fields: r.o.names(s.mask, true), Changes: idsOf(s.changes), RetryOf: t.RetryOf, Try: t.Try,
		Status: t.Status, Code: t.Code, Outcome: t.Outcome, Token: t.Token, Keyless: t.IdempotencyKey == "", RetryAfter: a.RetryAfter,
	}
	if t.Outcome == event.OutcomeError {
		expected(&l, e)
	}
	if says == scenario.SaysOK {
		t.Status, t.Outcome, t.Code, t.Message, t.Body = 200, event.OutcomeOK, "", "", crm.Success(t.TargetID, false)
	}
	if l.Outcome != t.Outcome {
		l.Said = t.Outcome
	}
	l.Reported = says != scenario.SaysNothing && k.tells(t.Outcome)
	if l.Reported && t.Outcome == event.OutcomeOK {
		r.claimed |= s.mask
	}
	if l.Reported {
		k.out.own("attempts", t)
	}
	k.note(l)
	return t.ID
}

// tells reports whether the worker reports attempts with this outcome.
func (k *worker) tells(outcome string) bool {
	switch k.in.Attempts {
	case config.AttemptsNone:
		return false
	case config.AttemptsErrors:
		return outcome == event.OutcomeError
	}
	return true
}

// expected is what a good monitor says of an attempt that failed.
func expected(l *truth.Line, e *episode) {
	if e != nil {
		l.Cause, l.Fault, l.Class, l.Recoverability, l.Attribution = e.Fault.Fault, e.id, e.kind.Class, e.kind.Recoverability, e.kind.Attribution
		return
	}
	l.Cause = refusal(l.Code)
	switch l.Code {
	case "DUPLICATES_DETECTED":
		l.Class, l.Recoverability = event.ClassDuplicate, event.Permanent
	case "UNABLE_TO_LOCK_ROW":
		l.Class, l.Recoverability = event.ClassOther, event.Temporary
	case "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "STRING_TOO_LONG", "INVALID_FIELD":
		l.Class, l.Recoverability = event.ClassSchema, event.Permanent
	}
}

func (k *worker) operation(s *sent, a *crm.Answer) string {
	switch {
	case s.deleted:
		return event.OpDelete
	case a.Created || !a.OK() && (s.creates || k.copyOf(s.r) == nil):
		return event.OpCreate
	}
	return event.OpUpdate
}

// reportRefresh tells of a try to get a new token.
func (k *worker) reportRefresh(ok bool, e *episode) {
	t := attempt{
		ID: "attempt-" + itoa(k.next()), Integration: k.in.ID, OccurredAt: k.Now(), System: k.in.Target.System,
		Object: k.objects[0].Name, Operation: event.OpAuthRefresh, Status: 200, Outcome: event.OutcomeOK, Try: 1, DurationMS: 240,
		Actor: event.Actor{Kind: event.ActorIntegration, ID: k.syncUser()}, Token: tokenName,
	}
	if !ok {
		t.Status, t.Outcome, t.Code, t.Message = 400, event.OutcomeError, "invalid_grant", "expired access/refresh token"
		t.Body = `{"error":"invalid_grant","error_description":"expired access/refresh token"}`
	}
	l := truth.Line{
		Kind: truth.Attempt, ID: t.ID, System: t.System, Object: t.Object, Operation: t.Operation, Try: 1,
		Status: t.Status, Code: t.Code, Outcome: t.Outcome, Token: t.Token, Reported: k.tells(t.Outcome),
	}
	if ok {
		l.Cause = e.Fault.Fault
	} else {
		expected(&l, e)
	}
	if l.Reported {
		k.out.own("attempts", t)
	}
	k.note(l)
}

// landed notes a write that the target really took, and lets the target tell.
func (k *worker) landed(s *sent, a crm.Answer, attempt string, e *episode) {
	l := truth.Line{
		Kind: truth.Write, ID: "write-" + itoa(k.next()), System: k.in.Target.System, Object: s.r.o.Name,
		SourceID: s.r.row.ID, TargetID: a.ID, Operation: k.operation(s, &a), Fields: a.Changed, Attempt: attempt,
		Changes: idsOf(s.changes), Actor: event.ActorIntegration + "/" + k.syncUser(),
	}
	if a.Stored != nil || s.bent != nil { // something else than was written, or than was meant
		l.Cause = scenario.Coerced
		if e != nil {
			l.Cause, l.Fault = e.Fault.Fault, e.id
		}
	}
	k.note(l)
	if s.deleted {
		k.echoes.gone(s.r.o, a.ID, s.r.row.ID)
		return
	}
	// Salesforce tells of every saved record, also of one that a write left as
	// it was: the fields in the event are those the write named.
	k.echoes.wrote(s, &a)
}
