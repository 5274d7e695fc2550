package topic

import (
	"fmt"
	"strconv"
	"strings"
)

// Headers every record carries.
const (
	HeaderType   = "type"
	HeaderSchema = "schema"
	HeaderConfig = "config_hash"
	HeaderCause  = "cause"

	// HeaderContent is on records that are CloudEvents.
	HeaderContent = "content-type"
)

// Cause names the input that an output follows from: its n-th output. A
// consumer keeps the highest cause seen per upstream partition and drops what
// it has seen, so work done twice counts once whatever the broker did.
type Cause struct {
	Topic     string
	Partition int32
	Offset    int64
	N         int32
}

// Append writes "topic/partition/offset/n" without the common prefix.
func (c Cause) Append(b []byte) []byte {
	b = append(b, strings.TrimPrefix(c.Topic, Prefix)...)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(c.Partition), 10)
	b = append(b, '/')
	b = strconv.AppendInt(b, c.Offset, 10)
	b = append(b, '/')
	return strconv.AppendInt(b, int64(c.N), 10)
}

// String is the header's text.
func (c Cause) String() string { return string(c.Append(nil)) }

// ParseCause reads the header's text.
func ParseCause(s string) (Cause, error) {
	name, rest, ok1 := strings.Cut(s, "/")
	partition, rest, ok2 := strings.Cut(rest, "/")
	offset, count, ok3 := strings.Cut(rest, "/")
	if name == "" || !ok1 || !ok2 || !ok3 || strings.Contains(count, "/") {
		return Cause{}, fmt.Errorf("cause %q is not topic/partition/offset/n", s)
	}
	p, err1 := strconv.ParseInt(partition, 10, 32)
	o, err2 := strconv.ParseInt(offset, 10, 64)
	n, err3 := strconv.ParseInt(count, 10, 32)
	if err1 != nil || err2 != nil || err3 != nil || p < 0 || o < 0 || n < 0 {
		return Cause{}, fmt.Errorf("cause %q has a part that is not a number", s)
	}
	return Cause{Topic: prefixed(name), Partition: int32(p), Offset: o, N: int32(n)}, nil
}

// prefixed is a topic's whole name; nothing is allocated for those we know.
func prefixed(name string) string {
	for i := range All {
		if known := All[i].Name; len(known) == len(Prefix)+len(name) && known[len(Prefix):] == name {
			return known
		}
	}
	return Prefix + name
}

// After reports whether c comes after d within one upstream partition.
func (c Cause) After(d Cause) bool {
	return c.Offset > d.Offset || (c.Offset == d.Offset && c.N > d.N)
}
