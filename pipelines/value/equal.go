package value

import (
	"strings"
	"time"

	"plumbline.dev/schemas/event"
)

// Equal compares a source value a with a target value b under a field's kind
// and its map from source options to target options. When they differ it says
// how; format_only is a difference that the kind does not excuse but a person
// would (punctuation, a missing country code).
func Equal(kind string, m map[string]string, a, b event.Value) (equal bool, difference string) {
	switch blankA, blankB := a.Blank(), b.Blank(); {
	case blankA && blankB:
		return true, ""
	case blankB:
		return false, BlankInTarget
	case blankA:
		return false, BlankInSource
	}
	if opaque(a) || opaque(b) {
		return equalOpaque(kind, a, b)
	}
	if len(m) == 0 && a.Text == b.Text && a.Kind == b.Kind {
		return true, "" // mostly: whatever the normal form, it is the same
	}
	na, nb := mapped(kind, m, Normalize(kind, a)), Normalize(kind, b)
	if na == nb || kind == Reference && len(m) == 0 && apart(na, nb) {
		return true, ""
	}
	return false, differ(kind, na, nb)
}

// apart reports whether two references are names of different kinds: one
// system's number, the other's id, an address. Then nobody can tell more than
// that both refer to something; only a blank one is known to differ.
func apart(a, b string) bool { return nameKind(a) != nameKind(b) }

func nameKind(s string) int {
	switch {
	case strings.Contains(s, "@"):
		return 1
	case digits(s) == s:
		return 2
	}
	return 3
}

// equalOpaque compares hashes, which are made of normal forms. A hash and a
// clear text, or two sealed texts, cannot be compared: that is a difference
// nobody may call equal.
func equalOpaque(kind string, a, b event.Value) (bool, string) {
	if a.Kind == event.KindHash && b.Kind == event.KindHash && a.Text == b.Text {
		return true, ""
	}
	if a.Kind != b.Kind || a.Kind != event.KindHash {
		return false, Other
	}
	// The lengths were kept: a target that holds less may have cut the end off.
	if kind == Text && b.Len > 0 && b.Len < a.Len && cutLength(b.Len) {
		return false, Truncated
	}
	return false, fallback(kind)
}

// differ says how two normal forms differ.
func differ(kind, a, b string) string {
	if kind == Text || kind == Exact || kind == "" {
		if len(b) < len(a) && strings.HasPrefix(a, strings.TrimRight(b, " .…")) && len(b) >= 4 {
			return Truncated
		}
		if squeeze(a) == squeeze(b) {
			return FormatOnly
		}
	}
	if kind == Number && rounded(a, b) || kind == DateTime && (sameDay(a, b) || shifted(a, b)) || kind == Multi && subset(a, b) {
		return Coerced
	}
	if kind == Phone && (strings.HasSuffix(a, b) || strings.HasSuffix(b, a)) && min(len(a), len(b)) >= 7 {
		return FormatOnly // with and without the country code
	}
	return fallback(kind)
}

func fallback(kind string) string {
	switch kind {
	case Picklist, Multi:
		return PicklistDiff
	case Reference:
		return Owner
	}
	return Other
}

// squeeze leaves letters and digits: punctuation is format.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .,;:-_/()'\"&", r) {
			return -1
		}
		return r
	}, s)
}

// rounded reports whether the target kept fewer decimals of the same number.
func rounded(a, b string) bool {
	wholeA, fracA, hasA := strings.Cut(a, ".")
	wholeB, fracB, _ := strings.Cut(b, ".")
	if !hasA || len(fracB) >= len(fracA) {
		return false
	}
	return wholeA == wholeB && (strings.HasPrefix(fracA, fracB) || len(fracB) > 0 && fracA[:len(fracB)-1] == fracB[:len(fracB)-1]) ||
		fracB == "" && fracA[0] >= '5' && wholeB == next(wholeA)
}

// next is the whole number after one, away from zero.
func next(whole string) string {
	d := []byte(whole)
	for i := len(d) - 1; i >= 0 && d[i] != '-'; i-- {
		if d[i] != '9' {
			d[i]++
			return string(d)
		}
		d[i] = '0'
	}
	sign, rest := "", string(d)
	if strings.HasPrefix(rest, "-") {
		sign, rest = "-", rest[1:]
	}
	return sign + "1" + rest
}

// sameDay reports whether only the time of day was lost.
func sameDay(a, b string) bool {
	return len(a) > 10 && len(b) > 10 && a[:10] == b[:10] && strings.HasSuffix(b, "T00:00:00.000Z")
}

// farthest is how far a zone is from UTC.
const farthest = 14 * time.Hour

// shifted reports whether the same clock was read in another zone: zones differ
// by quarters of an hour.
func shifted(a, b string) bool {
	x, errX := time.Parse(instantForm, a)
	y, errY := time.Parse(instantForm, b)
	apart := x.Sub(y).Abs()
	return errX == nil && errY == nil && apart > 0 && apart <= farthest && apart%(15*time.Minute) == 0
}

// subset reports whether the target kept only some of the options.
func subset(a, b string) bool {
	all := ";" + a + ";"
	for part := range strings.SplitSeq(b, ";") {
		if !strings.Contains(all, ";"+part+";") {
			return false
		}
	}
	return true
}

// cutLength are the lengths CRM fields have.
func cutLength(n int) bool {
	switch n {
	case 40, 50, 80, 100, 120, 128, 255, 256, 500, 512, 1000, 1024, 1300, 2000, 4000, 32000, 32768, 65535, 65536:
		return true
	}
	return false
}

func form(kind, s string) string { return Normalize(kind, event.Value{Text: s}) }
