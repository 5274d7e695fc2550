// Package value knows CRM data: what makes two systems' values the same.
package value

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Equal compares a source value with a target value under a compare kind and
// a picklist map (source value to target value). Difference says how they
// differ, in the words of design §2, and is empty when they are equal.
func Equal(kind string, m map[string]string, a, b event.Value) (equal bool, difference string) {
	if mapped, ok := m[a.Text]; ok {
		a.Text = mapped
	}
	x, y := Normalize(kind, a), Normalize(kind, b)
	switch {
	case x == y:
		return true, ""
	case y == "":
		return false, "blank_in_target"
	case x == "":
		return false, "blank_in_source"
	}
	return false, "other"
}

// Normalize is the form in which values are compared; blank is "".
func Normalize(kind string, v event.Value) string {
	if v.Kind == event.KindNull {
		return ""
	}
	s := strings.TrimSpace(v.Text)
	if kind == "email" || kind == "picklist" {
		s = strings.ToLower(s)
	}
	return s
}
