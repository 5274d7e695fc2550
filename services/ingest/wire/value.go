package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
)

// Errors say what was expected; Fail puts the member's name before them.
var (
	errText   = errors.New("is not text")
	errID     = errors.New("is not an id: expected text or a whole number")
	errInt    = errors.New("is not a whole number")
	errBool   = errors.New("is not true or false")
	errObject = errors.New("is not an object")
	errTime   = errors.New("is not a time: expected RFC 3339 with a zone, or seconds or milliseconds since 1970")
	errLong   = fmt.Errorf("is longer than %d bytes", maxWord)
	errNUL    = errors.New("contains a control character")
)

// maxWord bounds ids, names and words.
const maxWord = 512

func isNull(v jsontext.Value) bool { return len(v) > 0 && v[0] == 'n' }

// unquoted is the text of a JSON string; without escapes it is a part of it.
func unquoted(v jsontext.Value) []byte {
	if len(v) < 2 {
		return nil
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	b, _ := jsontext.AppendUnquote(nil, v) // the decoder has checked it
	return b
}

// Text reads a string of any length; null is empty.
func Text(v jsontext.Value) (string, error) {
	if isNull(v) {
		return "", nil
	}
	if v[0] != '"' {
		return "", errText
	}
	return string(unquoted(v)), nil
}

// Word reads a short string without control characters.
func Word(v jsontext.Value) (string, error) {
	if !isNull(v) && v[0] != '"' {
		return "", errText
	}
	return ID(v)
}

// ID reads text or a whole number, which keeps its digits.
func ID(v jsontext.Value) (string, error) {
	b, err := RawID(v)
	return string(b), err
}

// RawID is ID without a copy.
func RawID(v jsontext.Value) ([]byte, error) {
	switch {
	case isNull(v):
		return nil, nil
	case v[0] == '"':
		b := unquoted(v)
		if len(b) > maxWord {
			return nil, errLong
		}
		for _, c := range b {
			if c < 0x20 {
				return nil, errNUL
			}
		}
		return b, nil
	case whole(v):
		if len(v) > maxWord {
			return nil, errLong
		}
		return v, nil
	}
	return nil, errID
}

func whole(v jsontext.Value) bool {
	for i, c := range v {
		if (c < '0' || c > '9') && (i != 0 || c != '-' || len(v) <= 1) {
			return false
		}
	}
	return len(v) > 0
}

// Int reads a whole number of 64 bits; null is 0.
func Int(v jsontext.Value) (int64, error) {
	if isNull(v) {
		return 0, nil
	}
	if !whole(v) {
		return 0, errInt
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		return 0, errInt
	}
	return n, nil
}

// Bool reads true or false; null is false.
func Bool(v jsontext.Value) (bool, error) {
	switch v[0] {
	case 't':
		return true, nil
	case 'f', 'n':
		return false, nil
	}
	return false, errBool
}

// Times are taken as seconds below this number and as milliseconds from it
// on: seconds reach it in the year 5138, milliseconds in March 1973.
const (
	firstMilli = 100_000_000_000
	lastMilli  = 253_402_300_799_999 // year 9999
)

// Time reads an instant.
func Time(v jsontext.Value) (event.Time, error) {
	switch {
	case isNull(v):
		return 0, nil
	case v[0] == '"':
		t, err := time.Parse(time.RFC3339Nano, string(unquoted(v)))
		if err != nil || t.UnixMilli() <= 0 || t.UnixMilli() > lastMilli {
			return 0, errTime
		}
		return event.At(t), nil
	case whole(v):
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err == nil && n > 0 && n < firstMilli {
			n *= 1000
		}
		if err != nil || n <= 0 || n > lastMilli {
			return 0, errTime
		}
		return event.Time(n), nil
	case v[0] == '-' || (v[0] >= '0' && v[0] <= '9'):
		f, err := strconv.ParseFloat(string(v), 64)
		if err == nil && f > 0 && f < firstMilli {
			f *= 1000
		}
		if err != nil || f < 1 || f > lastMilli {
			return 0, errTime
		}
		return event.Time(f), nil
	}
	return 0, errTime
}

// Value is a field's value: the digits of a number stay as sent.
func Value(v jsontext.Value) event.Value {
	switch v[0] {
	case '"':
		return event.Value{Text: string(unquoted(v))}
	case 'n':
		return event.Value{Kind: event.KindNull}
	case 't', 'f':
		return event.Value{Kind: event.KindBool, Text: string(v)}
	case '{', '[':
		c := v.Clone()
		_ = c.Compact() // the decoder has checked it
		return event.Value{Kind: event.KindJSON, Text: string(c)}
	}
	return event.Value{Kind: event.KindNumber, Text: string(v)}
}

// IDs reads a list of ids, at most a thousand.
func IDs(dst []string, v jsontext.Value) ([]string, error) {
	if isNull(v) {
		return dst, nil
	}
	if v[0] != '[' {
		return dst, errors.New("is not a list of ids")
	}
	d := jsontext.NewDecoder(bytes.NewReader(v))
	_, _ = d.ReadToken() // the bracket
	for d.PeekKind() != ']' {
		if len(dst) == 1000 {
			return dst, errors.New("has more than 1000 ids")
		}
		e, err := d.ReadValue()
		if err != nil {
			return dst, err
		}
		id, err := ID(e)
		if err != nil || id == "" {
			return dst, errors.New("is not a list of ids")
		}
		dst = append(dst, id)
	}
	return dst, nil
}

var errWhole = errors.New("is not a whole number of 0 or more")

// Whole reads a count; null is 0.
func Whole(v jsontext.Value) (int64, error) {
	n, err := Int(v)
	if err != nil || n < 0 {
		return 0, errWhole
	}
	return n, nil
}
