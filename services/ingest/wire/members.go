package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Members walks the members of one object. What it returns stays valid as
// long as the element's bytes do. After Next is false, Err tells why.
type Members struct {
	dec   *jsontext.Decoder
	buf   bytes.Buffer
	name  []byte
	value jsontext.Value
	hash  uint64
	n     uint64
	err   error
}

var membersPool = sync.Pool{New: func() any { return &Members{dec: new(jsontext.Decoder)} }}

// Read starts the walk. The caller gives the walk back with Done.
func Read(element []byte) *Members {
	m := membersPool.Get().(*Members)
	m.buf, m.err, m.hash, m.n = *bytes.NewBuffer(element), nil, 0, 0
	m.dec.Reset(&m.buf)
	if len(element) > MaxElement {
		m.err = fmt.Errorf("element has %d bytes, the limit is %d", len(element), MaxElement)
		return m
	}
	if k := m.dec.PeekKind(); k != '{' {
		m.err = errors.New("element is not an object")
		if _, err := m.dec.ReadValue(); err != nil {
			m.err = syntax(err)
		}
		return m
	}
	if _, err := m.dec.ReadToken(); err != nil {
		m.err = syntax(err)
	}
	return m
}

// Next reads one member.
func (m *Members) Next() bool {
	if m.err != nil {
		return false
	}
	if m.dec.PeekKind() == '}' {
		m.end()
		return false
	}
	name, err := m.dec.ReadValue()
	if err != nil {
		m.err = syntax(err)
		return false
	}
	m.name = unquoted(name)
	if m.value, err = m.dec.ReadValue(); err != nil {
		m.err = syntax(err)
		return false
	}
	return true
}

// end reads the closing bracket and makes sure that nothing follows it.
func (m *Members) end() {
	if _, err := m.dec.ReadToken(); err != nil {
		m.err = syntax(err)
		return
	}
	if _, err := m.dec.ReadToken(); !errors.Is(err, io.EOF) {
		m.err = errors.New("something follows the object")
	}
}

// Name is the member's name; compare it, do not keep it.
func (m *Members) Name() []byte { return m.name }

// Value is the member's value as sent.
func (m *Members) Value() jsontext.Value { return m.value }

// Err is the first thing wrong with the element, in words for its sender.
func (m *Members) Err() error { return m.err }

// Fail ends the walk with a reason that names the member.
func (m *Members) Fail(err error) {
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("%s %w", printable(m.name), err)
	}
}

// Done gives the walk back.
func (m *Members) Done() {
	m.buf, m.name, m.value = bytes.Buffer{}, nil, nil
	membersPool.Put(m)
}

// printable bounds a stranger's name before it is repeated.
func printable(name []byte) string {
	if len(name) > 64 {
		name = name[:64]
	}
	return string(bytes.ToValidUTF8(bytes.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return '?'
		}
		return r
	}, name), []byte("?")))
}

// syntax is the decoder's error in our words, without the text around it: it
// may be personal.
func syntax(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errors.New("a name stands twice in one object")
	}
	if se, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("not JSON at byte %d", se.ByteOffset)
	}
	return errors.New("not JSON: it ends too early")
}

// IsSyntax reports whether an element is no JSON at all, rather than JSON we
// refuse (a name twice, invalid UTF-8).
func IsSyntax(element []byte) bool {
	return !jsontext.Value(element).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}
