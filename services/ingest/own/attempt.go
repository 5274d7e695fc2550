package own

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
	"plumbline.dev/services/internal/privacy"
)

// Bounds of what an answer may hold.
const (
	maxBody    = 16 << 10
	maxMessage = 4 << 10
	maxToken   = 64 // ids of credentials are short; credentials are not
)

func (e *element) attempt() (Item, error) {
	a := &event.Attempt{Sender: e.meta.Sender, ReceivedAt: event.At(e.meta.Now)}
	hash, err := e.members(func(name string, v jsontext.Value) (bool, error) { return e.attemptMember(a, name, v) })
	if err == nil {
		err = e.at(&a.OccurredAt)
	}
	if err != nil {
		return Item{}, err
	}
	if err := e.find(a.Integration); err != nil {
		return Item{}, err
	}
	if err := outcome(a); err != nil {
		return Item{}, err
	}
	a.ID, a.BodyHash, a.Tenant = e.id("attempt", a.ID), hash, e.integration.Tenant
	if a.System == "" {
		a.System = e.integration.Target.System
	}
	if err := a.Validate(); err != nil {
		return Item{}, err
	}
	e.attemptWarnings(a)
	a.Token = e.token(a.Token)
	a.Fields = e.policy.Apply(a.Tenant, a.System, a.Object, a.Fields)
	return Item{Key: attemptKey(e.integration, a), Event: a}, nil
}

func (e *element) attemptMember(a *event.Attempt, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "id":
		a.ID, err = wire.ID(v)
	case "integration":
		a.Integration, err = wire.Word(v)
	case "occurred_at":
		a.OccurredAt, err = wire.Time(v)
	case "system":
		a.System, err = wire.Word(v)
	case "object":
		a.Object, err = wire.Word(v)
	case "operation":
		a.Operation, err = wire.Word(v)
	case "source_id":
		a.SourceID, err = wire.ID(v)
	case "target_id":
		a.TargetID, err = wire.ID(v)
	case "status":
		a.Status, err = status(v)
	case "outcome":
		a.Outcome, err = wire.Word(v)
	case "fields":
		a.Fields, err = wire.Fields(v)
	case "actor":
		a.Actor, err = e.actor(v)
	case "token":
		a.Token, err = wire.Text(v)
	case "duration_ms":
		a.DurationMS, err = wire.Whole(v)
	default:
		return attemptAnswer(a, name, v)
	}
	return true, err
}

// attemptAnswer reads what the called system said, and how the try relates to
// others.
func attemptAnswer(a *event.Attempt, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "code":
		a.Code, err = wire.ID(v)
	case "message":
		a.Message, err = wire.Text(v)
		a.Message = privacy.MaskEmails(cut(a.Message, maxMessage))
	case "body":
		a.Body = privacy.MaskEmails(cut(wire.Value(v).Text, maxBody))
	case "headers":
		a.Headers, err = headers(v)
	case "change_id":
		a.ChangeID, err = wire.ID(v)
	case "call_id":
		a.CallID, err = wire.ID(v)
	case "retry_of":
		a.RetryOf, err = wire.ID(v)
	case "idempotency_key":
		a.IdempotencyKey, err = wire.ID(v)
	case "try":
		var n int64
		n, err = wire.Whole(v)
		a.Try = int(min(n, 1<<20))
	case "granularity":
		a.Granularity, err = wire.Word(v)
	case "records":
		a.RecordsOK, a.RecordsFailed, err = records(v)
	default:
		return false, nil
	}
	return true, err
}

var errStatus = errors.New("is not an HTTP status: expected 100 to 999, or 0 for no answer")

func status(v jsontext.Value) (int, error) {
	n, err := wire.Int(v)
	if err != nil || n < 0 || n > 999 || (n > 0 && n < 100) {
		return 0, errStatus
	}
	return int(n), nil
}

func records(v jsontext.Value) (ok, failed int64, err error) {
	if v.Kind() == 'n' {
		return 0, 0, nil
	}
	m := wire.Read(v)
	defer m.Done()
	for m.Next() {
		var err error
		switch string(m.Name()) {
		case "ok":
			ok, err = wire.Whole(m.Value())
		case "failed":
			failed, err = wire.Whole(m.Value())
		}
		m.Fail(err)
	}
	return ok, failed, m.Err()
}

// outcome follows from the status where the sender states none. A redirect or
// "several records match" (300) wrote nothing.
func outcome(a *event.Attempt) error {
	switch {
	case a.Outcome != "":
	case a.Status == 0:
		return fmt.Errorf("%w: outcome is missing, and no status stands for it", event.ErrInvalid)
	case a.Status >= 200 && a.Status < 300:
		a.Outcome = event.OutcomeOK
	default:
		a.Outcome = event.OutcomeError
	}
	return nil
}

func (e *element) attemptWarnings(a *event.Attempt) {
	e.clock("occurred_at", a.OccurredAt)
	if a.SourceID == "" && a.TargetID == "" && a.Granularity != event.GranularityRun {
		e.warn("unlinked: neither source_id nor target_id, so it counts in success but in no delivery")
	}
	if _, known := e.integration.native(event.Source, a.Object, a.SourceID); !known {
		e.unknownObject(a.Object)
	}
	if end, _ := e.integration.side(a.System, ""); end == nil {
		e.warn("system %q is neither side of integration %s", a.System, a.Integration)
	}
	if a.Outcome == event.OutcomeOK && a.Status >= 400 {
		e.warn("outcome is ok, but status is %d", a.Status)
	}
}

// attemptKey puts the attempt beside its record: the source's, whose id needs
// no lookup, else the target's.
func attemptKey(in *integration, a *event.Attempt) string {
	switch {
	case a.SourceID != "":
		object, _ := in.native(event.Source, a.Object, a.SourceID)
		return event.NativeKey(in.Source.System, in.Source.Account, object, a.SourceID)
	case a.TargetID != "":
		object, _ := in.native(event.Target, a.Object, a.TargetID)
		return event.NativeKey(in.Target.System, in.Target.Account, object, a.TargetID)
	}
	return a.Integration + "/unlinked"
}

// Finish completes an attempt that came another way than as an own format:
// by the integration it names, the field policy, and the bounds of texts.
func (d *Decoder) Finish(a *event.Attempt) (key string, err error) {
	in := d.index.byID[a.Integration]
	if in == nil {
		return "", fmt.Errorf("integration %q %w; known are %s", a.Integration, errIntegration, d.index.names)
	}
	a.Tenant = in.Tenant
	if a.System == "" {
		a.System = in.Target.System
	}
	a.Message = privacy.MaskEmails(cut(a.Message, maxMessage))
	a.Fields = d.policy.Apply(a.Tenant, a.System, a.Object, a.Fields)
	return attemptKey(in, a), nil
}

// secretForms are how credentials begin.
var secretForms = []string{"Bearer ", "pat-", "eyJ", "xox", "sk-", "sk_", "ghp_", "00D"}

// token is the id of a credential. Somebody will send the credential itself:
// of that only a hash is kept, which still tells tokens apart.
func (e *element) token(v string) string {
	secret := len(v) > maxToken
	for _, form := range secretForms {
		secret = secret || (strings.HasPrefix(v, form) && len(v) > 18)
	}
	if !secret {
		return v
	}
	e.warn("token looks like the credential itself and was replaced by a hash: send its name or id")
	return "hash:" + e.policy.Key().Hash(v)[:16]
}

// cut shortens text at a character's end.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
