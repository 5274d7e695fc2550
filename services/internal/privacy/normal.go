package privacy

import (
	"strings"
	"unicode/utf8"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
)

// Mask keeps what a person may still see of a hashed or sealed value.
func Mask(kind, v string) string {
	v = strings.TrimSpace(v)
	switch kind {
	case value.Email:
		at := strings.LastIndexByte(v, '@')
		if at < 1 {
			break
		}
		_, n := utf8.DecodeRuneInString(v)
		return v[:n] + "***" + v[at:]
	case value.Phone:
		p, _, _ := strings.Cut(value.Normalize(value.Phone, event.Value{Text: v}), "x")
		if len(p) >= 6 && p[0] >= '0' && p[0] <= '9' {
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
