package pubsub

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"

	"plumbline.dev/services/ingest/pubsub/pubsubpb"
)

// body is the events as a relay would post them. One that cannot be decoded
// is in it with its bytes, and ends as a dead letter; its neighbours go on.
func (s *Stream) body(ctx context.Context, events []*pubsubpb.ConsumerEvent) ([]byte, error) {
	out := []byte{'['}
	for i, e := range events {
		if i > 0 {
			out = append(out, ',')
		}
		one, err := s.element(ctx, e)
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
	}
	return append(out, ']'), nil
}

// relayed is the form of CometD: payload and place.
type relayed struct {
	Payload json.RawMessage `json:"payload"`
	Event   struct {
		ReplayID string `json:"replayId"`
	} `json:"event"`
}

// unread is an event whose bytes nobody could read.
type unread struct {
	Undecodable string `json:"undecodable"` // why
	SchemaID    string `json:"schema_id"`
	Avro        string `json:"avro"`
	ReplayID    string `json:"replay_id"`
}

func (s *Stream) element(ctx context.Context, e *pubsubpb.ConsumerEvent) ([]byte, error) {
	id := hex.EncodeToString(e.GetReplayId())
	x, err := s.shape(ctx, e.GetEvent().GetSchemaId())
	if err != nil && !errors.Is(err, errSchema) {
		return nil, err
	}
	var payload []byte
	if err == nil {
		payload, err = x.json(e.GetEvent().GetPayload())
	}
	if err != nil {
		return json.Marshal(unread{
			Undecodable: err.Error(), SchemaID: e.GetEvent().GetSchemaId(), ReplayID: id,
			Avro: base64.StdEncoding.EncodeToString(e.GetEvent().GetPayload()),
		})
	}
	r := relayed{Payload: payload}
	r.Event.ReplayID = id
	return json.Marshal(r)
}
