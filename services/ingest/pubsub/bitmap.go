package pubsub

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

var errBitmap = errors.New("is not a bitmap of the schema's fields")

// names turns the bitmaps of changedFields, nulledFields and diffFields into
// the names they stand for. An entry is 0x… over the record's fields, or
// n-0x… over those of its nth, a compound one; anything else is a name.
func (r *record) names(entries []any) ([]string, error) {
	var out []string
	for _, e := range entries {
		text, ok := e.(string)
		if !ok {
			return nil, errBitmap
		}
		if digits, ok := strings.CutPrefix(text, "0x"); ok {
			set, err := bitmap(digits, len(r.fields))
			if err != nil {
				return nil, err
			}
			for _, i := range set {
				out = append(out, r.fields[i].name)
			}
			continue
		}
		at, digits, nested := strings.Cut(text, "-0x")
		if !nested {
			out = append(out, text)
			continue
		}
		n, err := strconv.Atoi(at)
		if err != nil || n < 0 || n >= len(r.fields) || r.fields[n].inner == nil {
			return nil, fmt.Errorf("%s %w", text, errBitmap)
		}
		part, err := bitmap(digits, len(r.fields[n].inner.fields))
		if err != nil {
			return nil, err
		}
		for _, i := range part {
			out = append(out, r.fields[n].name+"."+r.fields[n].inner.fields[i].name)
		}
	}
	return out, nil
}

// bitmap is the places of the bits that are set, the last digit's first.
func bitmap(digits string, fields int) ([]int, error) {
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("0x%.40s %w", digits, errBitmap)
	}
	var out []int
	for i := range b {
		for x := b[len(b)-1-i]; x != 0; x &= x - 1 {
			n := 8*i + bits.TrailingZeros8(x)
			if n >= fields {
				return nil, fmt.Errorf("0x%.40s %w: it has %d", digits, errBitmap, fields)
			}
			out = append(out, n)
		}
	}
	return out, nil
}
