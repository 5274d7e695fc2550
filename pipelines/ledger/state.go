package ledger

import (
	"plumbline.dev/pipelines/compact"
	"plumbline.dev/schemas/event"
)

// layout is how records are kept and logged (package compact says how it may
// change; testdata/record.hex holds it). Before it records were MessagePack:
// record_gen.go still reads that.
var layout = compact.New[Record](
	event.StateObserved, event.StateAttempted, event.StateAcknowledged, event.StateApplied, event.StateVerified, event.StateFailed,
	event.StateStalled, event.StateNotApplied, event.StateOverwritten, event.StateUnobserved, event.StateSuperseded,
	event.OpCreate, event.OpUpdate, event.OpUpsert, event.OpDelete, event.OpMerge, event.OpRestore, event.OpAssociate,
	event.BasisAcknowledged, event.BasisAppliedEvent, event.BasisAppliedPoll, event.BasisAppliedReadback, event.TimeReceived,
	event.FoundByEcho, event.FoundByReadback, event.FoundByPoll, event.FoundByReconcile,
	event.ActorUser, event.ActorIntegration, event.ActorAgent, event.ActorAutomation, event.ActorImport, event.ActorUnknown,
	event.KindNumber, event.KindBool, event.KindNull, event.KindJSON, event.KindHash, event.KindSeal,
)

// AppendState writes the record as it is kept and logged.
func (r *Record) AppendState(b []byte) []byte { return layout.Append(b, r) }

// ReadState reads it.
func (r *Record) ReadState(b []byte) error { return layout.Read(b, r) }
