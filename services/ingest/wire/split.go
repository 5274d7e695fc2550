// Package wire reads the JSON that strangers send: strict, bounded, and one
// element at a time, so that a bad neighbour spoils nothing. Numbers keep
// their digits, duplicate names and invalid UTF-8 are refused.
package wire

import (
	"bytes"
	"errors"
	"fmt"
)

// Limits of one body.
const (
	MaxDepth   = 64      // levels of nesting
	MaxElement = 1 << 20 // bytes of one element
)

// ErrSyntax is a body that cannot be taken apart: nothing in it is accepted.
var ErrSyntax = errors.New("body is not JSON")

// ErrTooMany is a body with more elements than one request may carry.
var ErrTooMany = errors.New("body has too many elements")

// Split takes a body apart: the elements of an array, or a row of values one
// after the other (a single object, NDJSON). It only follows brackets and
// strings; each element is checked when it is read.
func Split(dst [][]byte, body []byte, limit int) ([][]byte, error) {
	i := space(body, 0)
	if i == len(body) {
		return dst, fmt.Errorf("%w: it is empty", ErrSyntax)
	}
	switch body[i] {
	case '[':
		return splitArray(dst, body, i+1, limit)
	case '{':
		return splitRow(dst, body, i, limit)
	}
	return dst, fmt.Errorf("%w: it starts with %q, expected [ or {", ErrSyntax, body[i:i+1])
}

func splitArray(dst [][]byte, body []byte, i, limit int) ([][]byte, error) {
	i = space(body, i)
	if i < len(body) && body[i] == ']' {
		return dst, trailing(body, i+1)
	}
	for n := 0; ; n++ {
		if n == limit {
			return dst, fmt.Errorf("%w: the limit is %d", ErrTooMany, limit)
		}
		end, err := skip(body, i)
		if err != nil {
			return dst, err
		}
		dst = append(dst, bytes.TrimRight(body[i:end], " \t\r\n"))
		i = space(body, end)
		switch {
		case i == len(body):
			return dst, fmt.Errorf("%w: it ends inside an array", ErrSyntax)
		case body[i] == ']':
			return dst, trailing(body, i+1)
		case body[i] != ',':
			return dst, fmt.Errorf("%w: no comma after element %d", ErrSyntax, n)
		}
		i = space(body, i+1)
	}
}

func trailing(body []byte, i int) error {
	if i = space(body, i); i < len(body) {
		return fmt.Errorf("%w: something follows the array at byte %d", ErrSyntax, i)
	}
	return nil
}

func splitRow(dst [][]byte, body []byte, i, limit int) ([][]byte, error) {
	for n := 0; i < len(body); n++ {
		if n == limit {
			return dst, fmt.Errorf("%w: the limit is %d", ErrTooMany, limit)
		}
		if body[i] != '{' {
			return dst, fmt.Errorf("%w: something that is no object stands at byte %d", ErrSyntax, i)
		}
		end, err := skip(body, i)
		if err != nil {
			return dst, err
		}
		dst = append(dst, body[i:end])
		i = space(body, end)
	}
	return dst, nil
}

// Lines takes NDJSON apart by its lines: a broken line costs only itself.
func Lines(dst [][]byte, body []byte, limit int) ([][]byte, error) {
	n := 0
	for line := range bytes.SplitSeq(body, []byte{'\n'}) {
		if line = bytes.Trim(line, " \t\r"); len(line) == 0 {
			continue
		}
		if n++; n > limit {
			return dst, fmt.Errorf("%w: the limit is %d", ErrTooMany, limit)
		}
		dst = append(dst, line)
	}
	if n == 0 {
		return dst, fmt.Errorf("%w: it is empty", ErrSyntax)
	}
	return dst, nil
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skip finds the end of the value that starts at i.
func skip(b []byte, i int) (int, error) {
	var open uint64 // one bit a level: 1 is an object, 0 an array
	depth := 0
	for ; i < len(b); i++ {
		switch c := b[i]; c {
		case '"':
			if i = closing(b, i+1); i < 0 {
				return 0, fmt.Errorf("%w: it ends inside a string", ErrSyntax)
			}
		case '{', '[':
			if depth == MaxDepth {
				return 0, fmt.Errorf("%w: it is nested deeper than %d levels", ErrSyntax, MaxDepth)
			}
			open <<= 1
			if c == '{' {
				open |= 1
			}
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i, nil
			}
			if (open&1 == 1) != (c == '}') {
				return 0, fmt.Errorf("%w: a bracket at byte %d closes another kind", ErrSyntax, i)
			}
			open >>= 1
			if depth--; depth == 0 {
				return i + 1, nil
			}
			continue
		case ',':
			if depth == 0 {
				return i, nil
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1, nil
		}
	}
	if depth > 0 {
		return 0, fmt.Errorf("%w: it ends inside an object or array", ErrSyntax)
	}
	return i, nil
}

// closing finds the quote that ends a string.
func closing(b []byte, i int) int {
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for j := i - 1; b[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
		i++
	}
}
