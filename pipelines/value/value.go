package value

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Kinds of comparison, the `compare` of a field in the configuration. An
// unknown kind compares as text.
const (
	Text      = "text"
	Phone     = "phone"
	Email     = "email"
	Date      = "date"
	DateTime  = "datetime"
	Number    = "number"
	Bool      = "bool"
	Picklist  = "picklist"
	Multi     = "multi" // several options in any order
	Reference = "reference"
	Exact     = "exact"
)

// Kinds lists every kind.
var Kinds = []string{Text, Phone, Email, Date, DateTime, Number, Bool, Picklist, Multi, Reference, Exact}

// Differences between two values (design §2).
const (
	BlankInTarget = "blank_in_target"
	BlankInSource = "blank_in_source"
	Truncated     = "truncated"
	FormatOnly    = "format_only"
	PicklistDiff  = "picklist"
	Coerced       = "coerced"
	Owner         = "owner"
	Association   = "association"
	Other         = "other"
)

// Differences lists every word Equal may say.
var Differences = []string{
	BlankInTarget, BlankInSource, Truncated, FormatOnly, PicklistDiff, Coerced, Owner, Association, Other,
}

// Normalize is the normal form of a value for a kind. Hashed and sealed values
// are their own: they were normalised before, or cannot be.
func Normalize(kind string, v event.Value) string {
	if v.Blank() {
		return ""
	}
	if opaque(v) {
		return v.Text
	}
	switch kind {
	case Exact:
		return v.Text
	case Phone:
		return phone(v.Text)
	case Email:
		return email(v.Text)
	case Date:
		return date(v.Text)
	case DateTime:
		return datetime(v.Text)
	case Number:
		return number(v.Text)
	case Bool:
		return boolean(v.Text)
	case Picklist:
		return picklist(v.Text)
	case Multi:
		return multi(v.Text)
	case Reference:
		return reference(v.Text)
	}
	if v.Kind == event.KindNumber {
		return number(v.Text)
	}
	return text(v.Text)
}

// opaque reports whether the text is not what the system holds.
func opaque(v event.Value) bool { return v.Kind == event.KindHash || v.Kind == event.KindSeal }

// text trims, joins runs of space and ignores case: CRMs change all three.
func text(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

func email(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(s, "mailto:")
	// "Ann <ann@example.com>" is the address.
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") && i+1 < len(s)-1 {
		s = s[i+1 : len(s)-1]
	}
	return text(s)
}

// boolean knows the words CRMs use; other text stays text.
func boolean(s string) string {
	switch t := text(s); t {
	case "true", "1", "yes", "y", "on", "t", "checked":
		return "true"
	case "false", "0", "no", "n", "off", "f", "unchecked":
		return "false"
	default:
		return t
	}
}

// reference compares ids. Salesforce writes one id with 15 or with 18
// characters; the last three only repeat the case of the first fifteen.
func reference(s string) string {
	s = strings.TrimSpace(s)
	if len(s) == 18 && salesforceID(s) {
		return s[:15]
	}
	return s
}

// salesforceID reports whether the last three characters are the checksum of
// the first fifteen: one character for the upper-case letters of each five.
func salesforceID(s string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	for block := range 3 {
		bits := 0
		for i := range 5 {
			c := s[block*5+i]
			switch {
			case c >= 'A' && c <= 'Z':
				bits |= 1 << i
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			default:
				return false
			}
		}
		if s[15+block] != alphabet[bits] {
			return false
		}
	}
	return true
}
