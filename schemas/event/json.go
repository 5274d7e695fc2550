package event

import "encoding/json"

// Messages that other people's programs act on are JSON instead of
// MessagePack: alerts and agents' states. Each takes its whole record.

func appendJSON(b []byte, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}

func takeJSON(b []byte, v any) ([]byte, error) {
	if err := json.Unmarshal(b, v); err != nil {
		return b, err
	}
	return nil, nil
}
