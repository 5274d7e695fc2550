package alert

import (
	"encoding/json"

	"plumbline.dev/schemas/event"
)

// Entry is one alert as it was last told, and what its condition says since.
type Entry struct {
	Told     event.Alert `json:"told"`
	Active   bool        `json:"active"`             // told and not resolved
	Status   string      `json:"status"`             // of the condition, now
	SinceMS  event.Time  `json:"since"`              // the condition says so since then
	Verdicts []string    `json:"verdicts,omitempty"` // open ones, of a vendor's alert
	Latest   event.Alert `json:"latest"`             // the condition as it was last measured
}

// MarshalMsg implements stream.Entry.
func (e *Entry) MarshalMsg(b []byte) ([]byte, error) { return appendJSON(b, e) }

// UnmarshalMsg implements stream.Entry.
func (e *Entry) UnmarshalMsg(b []byte) ([]byte, error) { return nil, json.Unmarshal(b, e) }

// Tenant numbers the alerts of a tenant and keeps its watchdog.
type Tenant struct {
	Seq    int64         `json:"seq"`
	Barked event.Time    `json:"barked"`
	At     map[int]int64 `json:"at"` // stream time of each partition of track, in ms
}

// MarshalMsg implements stream.Entry.
func (t *Tenant) MarshalMsg(b []byte) ([]byte, error) { return appendJSON(b, t) }

// UnmarshalMsg implements stream.Entry.
func (t *Tenant) UnmarshalMsg(b []byte) ([]byte, error) { return nil, json.Unmarshal(b, t) }

func appendJSON(b []byte, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}
