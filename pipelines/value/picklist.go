package value

import (
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// picklist ignores case, and that one system shows "Closed Won" where the
// other stores closed_won or closed-won.
func picklist(s string) string {
	return text(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return ' '
		}
		return r
	}, s))
}

// multi is the set of options, sorted: HubSpot and Salesforce separate with
// ';', JSON lists with ','.
func multi(s string) string {
	t := strings.TrimSpace(s)
	if strings.HasPrefix(t, "[") && strings.HasSuffix(t, "]") {
		t = strings.NewReplacer(`","`, ";", `", "`, ";").Replace(t[1 : len(t)-1])
		t = strings.Trim(t, `" `)
	}
	var out []string
	for part := range strings.SplitSeq(t, ";") {
		if p := picklist(part); p != "" {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ";")
}

// Canonical is a source value's normal form in the target's words: it equals
// the normal form of the target's value exactly when Equal says so. Not for
// hashed or sealed values, which are in no words.
func Canonical(kind string, m map[string]string, v event.Value) string {
	return mapped(kind, m, Normalize(kind, v))
}

// mapped translates the source's option, or each of several, by the field's
// map; what the map does not name stays.
func mapped(kind string, m map[string]string, normal string) string {
	if len(m) == 0 || normal == "" {
		return normal
	}
	if kind != Multi {
		return translate(kind, m, normal)
	}
	parts := strings.Split(normal, ";")
	for i := range parts {
		parts[i] = translate(Picklist, m, parts[i])
	}
	return multi(strings.Join(parts, ";"))
}

// translate finds the option by its normal form. Two keys with one normal form
// are a mistake in the map; the first in order decides, always the same.
func translate(kind string, m map[string]string, normal string) string {
	best, found := "", false
	for from := range m {
		if form(kind, from) == normal && (!found || from < best) {
			best, found = from, true
		}
	}
	if !found {
		return normal
	}
	return form(kind, m[best])
}
