package event

// Classes of failure, recoverability and attribution (design §5).
const (
	ClassAuth         = "auth"
	ClassSchema       = "schema"
	ClassRateLimit    = "rate_limit"
	ClassDuplicate    = "duplicate"
	ClassVendorOutage = "vendor_outage"
	ClassNetwork      = "network"
	ClassOther        = "other"

	Temporary = "temporary"
	Permanent = "permanent"

	ByVendor   = "vendor"
	ByCustomer = "customer"
	ByPipeline = "pipeline"
	ByUnknown  = "unknown"

	OriginError    = "error"
	OriginInferred = "inferred"
)

// Classes lists every class.
var Classes = []string{
	ClassAuth, ClassSchema, ClassRateLimit, ClassDuplicate, ClassVendorOutage, ClassNetwork, ClassOther,
}

// Verdict is what classification says of a failed attempt.
type Verdict struct {
	Class          string  `msg:"class"`
	Recoverability string  `msg:"recoverability"`
	Attribution    string  `msg:"attribution"`
	Confidence     float64 `msg:"confidence"`
	Rule           string  `msg:"rule"`
	Evidence       string  `msg:"evidence"`
	Fingerprint    string  `msg:"fingerprint"`
	LikelyCause    string  `msg:"likely_cause,omitempty"`
	FirstStep      string  `msg:"first_step,omitempty"`
	Version        string  `msg:"version"` // of the rules that said so
	Collateral     bool    `msg:"collateral,omitempty"`
}

// Failure is a classified unsuccessful attempt (OriginError), or a confirmed
// silent failure with its inferred class (OriginInferred).
type Failure struct {
	ID          string  `msg:"id"`
	Tenant      string  `msg:"tenant"`
	Integration string  `msg:"integration"`
	AttemptID   string  `msg:"attempt_id,omitempty"`
	DeliveryID  string  `msg:"delivery_id,omitempty"`
	IncidentID  string  `msg:"incident_id,omitempty"`
	RecordKey   string  `msg:"record_key,omitempty"`
	SourceID    string  `msg:"source_id,omitempty"`
	TargetID    string  `msg:"target_id,omitempty"`
	Provider    string  `msg:"provider"`
	Object      string  `msg:"object"`
	Operation   string  `msg:"op"`
	OccurredAt  Time    `msg:"occurred_at"`
	ReceivedAt  Time    `msg:"received_at"`
	Origin      string  `msg:"origin"`
	Status      int     `msg:"status,omitempty"`
	Code        string  `msg:"code,omitempty"`
	Message     string  `msg:"message,omitempty"`
	Actor       Actor   `msg:"actor"`
	Token       string  `msg:"token,omitempty"`
	Verdict     Verdict `msg:"verdict"`
	Version     uint64  `msg:"version"`
}

// EventType implements Event.
func (*Failure) EventType() Type { return TypeFailure }

// Validate implements Event.
func (f *Failure) Validate() error {
	return firstError(
		required("id", f.ID), required("integration", f.Integration), oneOf("class", f.Verdict.Class, Classes),
		oneOf("origin", f.Origin, []string{OriginError, OriginInferred}), known("occurred_at", f.OccurredAt),
	)
}
