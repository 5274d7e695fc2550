package event

// Outcomes and granularities of attempts.
const (
	OutcomeOK    = "ok"
	OutcomeError = "error"

	GranularityRecord = "record"
	GranularityRun    = "run"
)

// AttemptOps lists what an attempt may try.
var AttemptOps = []string{OpRead, OpCreate, OpUpdate, OpUpsert, OpDelete, OpAuthRefresh, OpWebhook}

// Attempt is one try to write (or read) one record, with its outcome;
// GranularityRun stands for a whole job and then counts records instead.
type Attempt struct {
	ID             string   `msg:"id"`                     // the sender's, or a hash of the canonical bytes
	Tenant         string   `msg:"tenant,omitempty"`       //
	Integration    string   `msg:"integration"`            //
	RecordKey      string   `msg:"record_key,omitempty"`   // canonical record; empty = unlinked
	DeliveryID     string   `msg:"delivery_id,omitempty"`  // set by resolve where ChangeID is known
	Sender         string   `msg:"sender,omitempty"`       // who reported it
	OccurredAt     Time     `msg:"occurred_at"`            // when the try ended, by the sender's clock
	ReceivedAt     Time     `msg:"received_at"`            //
	System         string   `msg:"system,omitempty"`       // the system called
	Object         string   `msg:"object"`                 //
	Operation      string   `msg:"op"`                     //
	SourceID       string   `msg:"source_id,omitempty"`    //
	TargetID       string   `msg:"target_id,omitempty"`    //
	ChangeID       string   `msg:"change_id,omitempty"`    // the change it carries, if the sender knows
	CallID         string   `msg:"call_id,omitempty"`      // elements of one batch call share it
	Try            int      `msg:"try,omitempty"`          //
	RetryOf        string   `msg:"retry_of,omitempty"`     //
	IdempotencyKey string   `msg:"idem,omitempty"`         //
	Granularity    string   `msg:"granularity,omitempty"`  // empty = record
	RecordsOK      int64    `msg:"records_ok,omitempty"`   // run granularity only
	RecordsFailed  int64    `msg:"records_fail,omitempty"` // run granularity only
	Status         int      `msg:"status,omitempty"`       // HTTP status, 0 = no answer
	Code           string   `msg:"code,omitempty"`         //
	Message        string   `msg:"message,omitempty"`      //
	Body           string   `msg:"body,omitempty"`         // answer body, bounded at ingest
	Headers        []Field  `msg:"headers,omitempty"`      // answer headers, names in lower case
	DurationMS     int64    `msg:"duration_ms,omitempty"`  //
	Outcome        string   `msg:"outcome"`                //
	Actor          Actor    `msg:"actor"`                  //
	Token          string   `msg:"token,omitempty"`        //
	Fields         []Field  `msg:"fields,omitempty"`       // values written, sorted by name
	BodyHash       uint64   `msg:"body_hash,omitempty"`    //
	Verdict        *Verdict `msg:"verdict,omitempty"`      // classify's word on a failed attempt
}

// EventType implements Event.
func (*Attempt) EventType() Type { return TypeAttempt }

// Failed reports whether the attempt did not succeed.
func (a *Attempt) Failed() bool { return a.Outcome == OutcomeError }

// Validate implements Event.
func (a *Attempt) Validate() error {
	return firstError(
		required("id", a.ID), required("integration", a.Integration), required("object", a.Object),
		oneOf("operation", a.Operation, AttemptOps), known("occurred_at", a.OccurredAt),
		oneOf("outcome", a.Outcome, []string{OutcomeOK, OutcomeError}),
		oneOf("granularity", a.Granularity, []string{"", GranularityRecord, GranularityRun}),
		plainID("source_id", a.SourceID), plainID("target_id", a.TargetID), plainID("change_id", a.ChangeID),
		atMost("fields", len(a.Fields)), atMost("headers", len(a.Headers)),
	)
}
