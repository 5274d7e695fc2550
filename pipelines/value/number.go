package value

import (
	"strconv"
	"strings"
)

// maxExponent bounds how many zeros "1e30" may become.
const maxExponent = 64

// number is the decimal form without sign of zero, leading or trailing zeros,
// grouping and currency: digits are text, so numbers beyond 2^53 stay exact.
func number(s string) string {
	t := strings.TrimSpace(s)
	t = strings.Trim(t, "$€£¥ \u00a0")
	t = strings.ReplaceAll(t, "\u00a0", "")
	neg := strings.HasPrefix(t, "-")
	t = strings.TrimLeft(t, "+-")
	t = ungroup(strings.TrimLeft(t, "$€£¥ "))
	t, exp, ok := exponent(t)
	if !ok {
		return text(s)
	}
	whole, frac, _ := strings.Cut(t, ".")
	if whole+frac == "" || digits(whole) != whole || digits(frac) != frac {
		return text(s)
	}
	whole, frac = shift(whole, frac, exp)
	whole = strings.TrimLeft(whole, "0")
	frac = strings.TrimRight(frac, "0")
	if whole == "" {
		whole = "0"
	}
	if frac != "" {
		whole += "." + frac
	}
	if neg && whole != "0" {
		whole = "-" + whole
	}
	return whole
}

// ungroup drops the commas of 1,234,567.5; a comma anywhere else is kept, and
// then the text is no number.
func ungroup(s string) string {
	parts := strings.Split(s, ",")
	if len(parts) == 1 || parts[0] == "" || len(parts[0]) > 3 {
		return s
	}
	for i, p := range parts[1:] {
		whole, _, cut := strings.Cut(p, ".")
		if len(whole) != 3 || cut && i != len(parts)-2 {
			return s
		}
	}
	return strings.Join(parts, "")
}

func exponent(s string) (mantissa string, exp int, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, true
	}
	exp, err := strconv.Atoi(s[i+1:])
	if err != nil || exp > maxExponent || exp < -maxExponent {
		return "", 0, false
	}
	return s[:i], exp, true
}

// shift moves the decimal point.
func shift(whole, frac string, exp int) (string, string) {
	for ; exp > 0; exp-- {
		if frac == "" {
			whole += "0"
			continue
		}
		whole, frac = whole+frac[:1], frac[1:]
	}
	for ; exp < 0; exp++ {
		if whole == "" {
			frac = "0" + frac
			continue
		}
		whole, frac = whole[:len(whole)-1], whole[len(whole)-1:]+frac
	}
	return whole, frac
}
