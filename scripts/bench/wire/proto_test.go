package wire

import (
	"plumbline.dev/bench/wire/wirepb"
	"plumbline.dev/schemas/event"

	"google.golang.org/protobuf/proto"
)

// toProto makes the peer's struct. Its cost is not measured: a program that
// chose protobuf would hold these structs in the first place.
func toProto(e event.Event) proto.Message {
	switch m := e.(type) {
	case *event.Change:
		return &wirepb.Change{
			Id: m.ID, Tenant: m.Tenant, Integration: m.Integration, Side: m.Side, RecordKey: m.RecordKey, Hook: m.Hook,
			System: m.System, Account: m.Account, Object: m.Object, RecordId: m.RecordID, Op: m.Operation,
			ChangedAt: int64(m.ChangedAt), ReceivedAt: int64(m.ReceivedAt), TimeBasis: m.TimeBasis,
			Redelivery: int64(m.Redelivery), Fields: fields(m.Fields), Actor: actor(m.Actor), Token: m.Token,
			ExternalId: m.ExternalID, BodyHash: m.BodyHash,
		}
	case *event.Attempt:
		return &wirepb.Attempt{
			Id: m.ID, Tenant: m.Tenant, Integration: m.Integration, RecordKey: m.RecordKey, DeliveryId: m.DeliveryID,
			Sender: m.Sender, OccurredAt: int64(m.OccurredAt), ReceivedAt: int64(m.ReceivedAt), System: m.System,
			Object: m.Object, Op: m.Operation, SourceId: m.SourceID, TargetId: m.TargetID, ChangeId: m.ChangeID,
			CallId: m.CallID, Try: int64(m.Try), Status: int64(m.Status), Code: m.Code, Message: m.Message, Body: m.Body,
			Headers: fields(m.Headers), DurationMs: m.DurationMS, Outcome: m.Outcome, Actor: actor(m.Actor),
			Token: m.Token, BodyHash: m.BodyHash,
		}
	case *event.Delivery:
		return &wirepb.Delivery{
			Id: m.ID, Tenant: m.Tenant, Integration: m.Integration, Object: m.Object, RecordKey: m.RecordKey,
			SourceId: m.SourceID, TargetId: m.TargetID, ChangeId: m.ChangeID, Op: m.Operation, State: m.State,
			ChangedAt: int64(m.ChangedAt), ReceivedAt: int64(m.ReceivedAt), DueAt: int64(m.DueAt),
			FirstAttemptAt: int64(m.FirstAttemptAt), AcknowledgedAt: int64(m.AcknowledgedAt), LatencyMs: m.LatencyMS,
			LatencyBasis: m.LatencyBasis, StartBasis: m.StartBasis, Attempts: int64(m.Attempts), Actor: actor(m.Actor),
			UpdatedAt: int64(m.UpdatedAt), Version: m.Version,
		}
	}
	panic("no peer for this type")
}

func fields(in []event.Field) []*wirepb.Field {
	out := make([]*wirepb.Field, len(in))
	for i, f := range in {
		out[i] = &wirepb.Field{Name: f.Name, Value: &wirepb.Value{
			Kind: f.Value.Kind, Text: f.Value.Text, Mask: f.Value.Mask, Len: int64(f.Value.Len),
		}}
	}
	return out
}

func actor(a event.Actor) *wirepb.Actor { return &wirepb.Actor{Kind: a.Kind, Id: a.ID, Run: a.Run} }
