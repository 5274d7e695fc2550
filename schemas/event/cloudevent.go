package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// JSONTime is a Time that reads RFC 3339 in JSON, null where it is not known.
//
//msgp:ignore JSONTime
type JSONTime Time

// MarshalJSON implements json.Marshaler.
func (t JSONTime) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return []byte(strconv.Quote(Time(t).String())), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *JSONTime) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, *s)
	if err != nil {
		return fmt.Errorf("%q is no RFC 3339 time", *s)
	}
	*t = JSONTime(At(at))
	return nil
}

// AlertType is the CloudEvents type of an alert; its last part is the version
// of the data.
const AlertType = "dev.plumbline.alert.v1"

// ContentCloudEvent is the content type of a record that is one.
const ContentCloudEvent = "application/cloudevents+json; charset=UTF-8"

// envelope is CloudEvents 1.0 in structured mode.
//
//msgp:ignore envelope
type envelope struct {
	SpecVersion string   `json:"specversion"`
	ID          string   `json:"id"` // of this change of the alert, not of the alert
	Source      string   `json:"source"`
	Type        string   `json:"type"`
	Subject     string   `json:"subject"`
	Time        JSONTime `json:"time"`
	ContentType string   `json:"datacontenttype"`
	Data        *Alert   `json:"data"`
}

// EventType implements Event.
func (*Alert) EventType() Type { return TypeAlert }

// ContentType is the record's content type.
func (*Alert) ContentType() string { return ContentCloudEvent }

// Validate implements Event.
func (a *Alert) Validate() error {
	return firstError(
		required("id", a.ID), required("tenant", a.Tenant), required("rule", a.Rule),
		oneOf("status", a.Status, AlertStatuses), known("observed_at", Time(a.ObservedAt)),
	)
}

// MarshalMsg implements Event.
func (a *Alert) MarshalMsg(b []byte) ([]byte, error) {
	return appendJSON(b, envelope{
		SpecVersion: "1.0", ID: a.ID + "/" + strconv.FormatInt(a.Seq, 10), Source: "plumbline/" + a.Tenant,
		Type: AlertType, Subject: a.Subject, Time: a.ObservedAt, ContentType: "application/json", Data: a,
	})
}

// UnmarshalMsg implements Event.
func (a *Alert) UnmarshalMsg(b []byte) ([]byte, error) {
	e := envelope{Data: a}
	rest, err := takeJSON(b, &e)
	if err == nil && (e.SpecVersion != "1.0" || e.Type != AlertType) {
		return b, fmt.Errorf("is %s %s, want CloudEvents 1.0 of type %s", e.SpecVersion, e.Type, AlertType)
	}
	return rest, err
}
