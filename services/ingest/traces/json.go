package traces

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"plumbline.dev/services/ingest/wire"
)

// The JSON form of a request, as far as it matters. Ids are hex there, and
// whole numbers of 64 bits are texts.
type jsonRequest struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes []jsonAttribute `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []struct {
			Spans []jsonSpan `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

type jsonSpan struct {
	TraceID    string          `json:"traceId"`
	SpanID     string          `json:"spanId"`
	Name       string          `json:"name"`
	Kind       int             `json:"kind"`
	Start      number          `json:"startTimeUnixNano"`
	End        number          `json:"endTimeUnixNano"`
	Attributes []jsonAttribute `json:"attributes"`
	Status     struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"status"`
}

type jsonAttribute struct {
	Key   string `json:"key"`
	Value struct {
		String string `json:"stringValue"`
		Bool   *bool  `json:"boolValue"`
		Int    number `json:"intValue"`
	} `json:"value"`
}

// number is written as a number or as a text of one.
type number string

// UnmarshalJSON keeps the digits.
func (n *number) UnmarshalJSON(b []byte) error {
	*n = number(bytes.Trim(b, `"`))
	return nil
}

func (n number) int() int64 {
	v, _ := strconv.ParseInt(string(n), 10, 64)
	return v
}

// JSON reads a request in JSON and keeps its client spans.
func JSON(b []byte) ([]Span, error) {
	if _, err := wire.Split(nil, b, 1); err != nil { // bounds the depth before anything is built
		return nil, err
	}
	var r jsonRequest
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, errBytes
	}
	var out []Span
	seen := 0
	for _, rs := range r.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			if seen += len(ss.Spans); seen > maxSpans {
				return nil, errTooMany
			}
			for i := range ss.Spans {
				if s := &ss.Spans[i]; s.Kind == kindClient {
					out = append(out, s.span(rs.Resource.Attributes))
				}
			}
		}
	}
	return out, nil
}

func (j *jsonSpan) span(resource []jsonAttribute) Span {
	s := Span{
		TraceID: strings.ToLower(j.TraceID), SpanID: strings.ToLower(j.SpanID), Name: cut([]byte(j.Name)),
		Start: j.Start.int(), End: j.End.int(), Failed: j.Status.Code == 2, Message: cut([]byte(j.Status.Message)),
		attributes: map[string]string{},
	}
	for _, list := range [][]jsonAttribute{resource, j.Attributes} {
		for _, a := range list {
			text := a.Value.String
			if a.Value.Bool != nil {
				text = strconv.FormatBool(*a.Value.Bool)
			}
			if text = cut([]byte(or(text, string(a.Value.Int)))); text != "" && len(s.attributes) < maxAttributes {
				s.attributes[a.Key] = text
			}
		}
	}
	return s
}

// cut bounds a text and makes it valid.
func cut(b []byte) string {
	if len(b) > maxText {
		b = b[:maxText]
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}
