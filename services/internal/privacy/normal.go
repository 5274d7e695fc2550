package privacy

import (
	"strings"
	"unicode/utf8"
)

// Kinds of normalisation before hashing.
const (
	KindPlain = ""
	KindEmail = "email"
	KindPhone = "phone"
)

// Normalize brings a value to the form that is hashed, so that two systems'
// spellings of one value hash alike.
func Normalize(kind, v string) string {
	v = strings.TrimSpace(v)
	switch kind {
	case KindEmail:
		return strings.ToLower(v)
	case KindPhone:
		return phone(v)
	}
	return v
}

// phone keeps the digits of the number, without an extension. The prefix 00
// and the plus sign mean the same. A text without digits stays as it is: all
// of them must not hash alike.
func phone(v string) string {
	b := make([]byte, 0, len(v))
	for i := range len(v) {
		c := v[i]
		if c >= '0' && c <= '9' {
			b = append(b, c)
		} else if (c == 'x' || c == 'X' || c == 'e' || c == 'E' || c == ';' || c == '#') && len(b) >= 7 {
			break // extension: x12, ext. 12, ;ext=12, #12
		}
	}
	if len(b) == 0 {
		return strings.ToLower(v)
	}
	return strings.TrimPrefix(string(b), "00")
}

// Mask keeps what a person may still see of a hashed or sealed value.
func Mask(kind, v string) string {
	v = strings.TrimSpace(v)
	switch kind {
	case KindEmail:
		at := strings.LastIndexByte(v, '@')
		if at < 1 {
			break
		}
		_, n := utf8.DecodeRuneInString(v)
		return v[:n] + "***" + v[at:]
	case KindPhone:
		if p := phone(v); len(p) >= 6 && p[0] >= '0' && p[0] <= '9' {
			return "***" + p[len(p)-2:]
		}
	}
	return "***"
}

// MaskEmails masks the addresses in a text for people, like a vendor's error
// message: it is stored clear, and vendors quote the value they refuse.
func MaskEmails(s string) string {
	if strings.IndexByte(s, '@') < 0 {
		return s
	}
	var b strings.Builder
	rest := s
	for {
		at := strings.IndexByte(rest, '@')
		if at < 0 {
			b.WriteString(rest)
			return b.String()
		}
		start := at
		for start > 0 && localPart(rest[start-1]) {
			start--
		}
		if start < at && at+1 < len(rest) && domainStart(rest[at+1]) {
			b.WriteString(rest[:start+1])
			b.WriteString("***@")
		} else {
			b.WriteString(rest[:at+1])
		}
		rest = rest[at+1:]
	}
}

func localPart(c byte) bool {
	return c == '.' || c == '_' || c == '%' || c == '+' || c == '-' || domainStart(c)
}

func domainStart(c byte) bool {
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
}
