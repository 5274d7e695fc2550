package own

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Envelope says what own formats come wrapped in.
type Envelope int

// Envelopes.
const (
	Bare Envelope = iota
	CloudEvents
	StandardWebhooks
)

// Outside is what an envelope says about its element. An element's own words
// go before the envelope's.
type Outside struct {
	ID   string         // of the event in it
	Time jsontext.Value // when it happened, as written
}

// Headers of CloudEvents' binary mode.
const cePrefix = "Ce-"

var errVersion = errors.New("specversion is not 1.0")

// FromHeaders reads the attributes of a CloudEvent in binary mode; ok is
// false for a request that is none.
func FromHeaders(h http.Header) (out Outside, ok bool, err error) {
	if len(h["Ce-Specversion"]) == 0 && len(h["Ce-Id"]) == 0 {
		return out, false, nil
	}
	attribute := func(name string) string {
		v := h[cePrefix+name]
		if len(v) != 1 || err != nil {
			return ""
		}
		text, e := url.PathUnescape(v[0]) // one round of percent decoding
		if e != nil || !utf8.ValidString(text) {
			err = fmt.Errorf("header ce-%s is not percent-encoded UTF-8", strings.ToLower(name))
		}
		return text
	}
	version, id, source, at := attribute("Specversion"), attribute("Id"), attribute("Source"), attribute("Time")
	switch {
	case err != nil:
		return out, true, err
	case version != "1.0":
		return out, true, errVersion
	case id == "" || source == "" || attribute("Type") == "":
		return out, true, errors.New("a CloudEvent needs ce-id, ce-source and ce-type")
	}
	return outside(source, id, at), true, nil
}

// outside is an envelope's word: source and id together are unique.
func outside(source, id, at string) Outside {
	out := Outside{ID: event.Hash("cloudevents", source, id)}
	if at != "" {
		out.Time, _ = jsontext.AppendQuote(nil, at)
	}
	return out
}

// open takes an element out of its envelope. It may hold one element; who
// has several sends several envelopes.
func (e *element) open() error {
	switch e.meta.Envelope {
	case CloudEvents:
		return e.openCloudEvent()
	case StandardWebhooks:
		return e.openStandard()
	}
	e.outside = e.meta.Outside
	return nil
}

func (e *element) openCloudEvent() error {
	var version, id, source, kind, at string
	var data jsontext.Value
	err := e.envelope(func(name string, v jsontext.Value) (err error) {
		switch name {
		case "specversion":
			version, err = wire.Word(v)
		case "id":
			id, err = wire.ID(v)
		case "source":
			source, err = wire.Word(v)
		case "type":
			kind, err = wire.Word(v)
		case "time":
			at, err = wire.Word(v)
		case "data":
			data = v
		case "data_base64":
			return errors.New("is not supported: send data as JSON")
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case version != "1.0":
		return errVersion
	case id == "" || source == "" || kind == "":
		return errors.New("a CloudEvent needs id, source and type")
	case data == nil:
		return errors.New("data is missing")
	}
	e.raw, e.outside = data, outside(source, id, at)
	return nil
}

// openStandard reads {type, timestamp, data}. What has no data member is the
// element itself.
func (e *element) openStandard() error {
	var data, at jsontext.Value
	err := e.envelope(func(name string, v jsontext.Value) error {
		switch name {
		case "data":
			data = v
		case "timestamp":
			at = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	e.outside = e.meta.Outside
	if data != nil {
		e.raw, e.outside.Time = data, at
	}
	return nil
}

func (e *element) envelope(member func(name string, v jsontext.Value) error) error {
	m := wire.Read(e.raw)
	defer m.Done()
	for m.Next() {
		m.Fail(member(string(m.Name()), m.Value()))
	}
	return m.Err()
}
