package traces

import (
	"encoding/hex"
	"maps"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of opentelemetry.proto: a request holds resource spans, those
// hold a resource and scope spans, and those hold spans.
const kindClient = 3

// Proto reads a request in protocol buffers and keeps its client spans.
// dropped counts what is no client span.
func Proto(b []byte) (spans []Span, err error) {
	r := &protoReader{}
	err = each(b, func(n protowire.Number, v []byte, _ uint64) error {
		if n == 1 {
			return r.resourceSpans(v)
		}
		return nil
	})
	return r.spans, err
}

type protoReader struct {
	spans []Span
	seen  int
}

// each walks the fields of a message. Lengths are checked by protowire; a
// message within is walked by its own call, three levels deep and no more.
func each(b []byte, field func(n protowire.Number, v []byte, u uint64) error) error {
	for len(b) > 0 {
		n, t, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errBytes
		}
		b = b[size:]
		var v []byte
		var u uint64
		switch t {
		case protowire.BytesType:
			v, size = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			u, size = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			u, size = protowire.ConsumeFixed64(b)
		default:
			size = protowire.ConsumeFieldValue(n, t, b)
		}
		if size < 0 {
			return errBytes
		}
		b = b[size:]
		if err := field(n, v, u); err != nil {
			return err
		}
	}
	return nil
}

func (r *protoReader) resourceSpans(b []byte) error {
	resource := map[string]string{}
	return each(b, func(n protowire.Number, v []byte, _ uint64) error {
		switch n {
		case 1: // the resource comes before its spans
			return each(v, func(n protowire.Number, v []byte, _ uint64) error {
				if n == 1 {
					return attribute(v, resource)
				}
				return nil
			})
		case 2:
			return each(v, func(n protowire.Number, v []byte, _ uint64) error {
				if n == 2 {
					return r.span(v, resource)
				}
				return nil
			})
		}
		return nil
	})
}

func (r *protoReader) span(b []byte, resource map[string]string) error {
	if r.seen++; r.seen > maxSpans {
		return errTooMany
	}
	s, kind := Span{attributes: maps.Clone(resource)}, uint64(0)
	err := each(b, func(n protowire.Number, v []byte, u uint64) error {
		switch n {
		case 1:
			s.TraceID = hex.EncodeToString(v)
		case 2:
			s.SpanID = hex.EncodeToString(v)
		case 5:
			s.Name = cut(v)
		case 6:
			kind = u
		case 7:
			s.Start = int64(u)
		case 8:
			s.End = int64(u)
		case 9:
			return attribute(v, s.attributes)
		case 15:
			return each(v, func(n protowire.Number, v []byte, u uint64) error {
				switch n {
				case 2:
					s.Message = cut(v)
				case 3:
					s.Failed = u == 2
				}
				return nil
			})
		}
		return nil
	})
	if err == nil && kind == kindClient {
		r.spans = append(r.spans, s)
	}
	return err
}

// attribute reads one key and its simple value; lists and maps are passed over.
func attribute(b []byte, into map[string]string) error {
	key, text := "", ""
	err := each(b, func(n protowire.Number, v []byte, _ uint64) error {
		switch n {
		case 1:
			key = cut(v)
		case 2:
			return each(v, func(n protowire.Number, v []byte, u uint64) error {
				switch n {
				case 1:
					text = cut(v)
				case 2:
					text = strconv.FormatBool(u != 0)
				case 3:
					text = strconv.FormatInt(int64(u), 10)
				}
				return nil
			})
		}
		return nil
	})
	if err == nil && text != "" && len(into) < maxAttributes {
		into[key] = text
	}
	return err
}
