package value

import "strings"

// phone keeps what is dialled: digits, and an extension behind 'x'. A leading
// '+' and a leading "00" both say "country code follows" and are dropped, so
// that "+49 30 1234", "0049301234" and "49301234" are one number. Text without
// enough digits to dial ("call Ann") stays text.
func phone(s string) string {
	main, ext := cutExtension(strings.ToLower(s))
	// "+44 (0) 20 ..." writes the trunk zero for callers at home.
	if strings.Contains(main, "+") {
		main = strings.Replace(main, "(0)", "", 1)
	}
	d := digits(main)
	if len(d) < 5 {
		return text(s)
	}
	for strings.HasPrefix(d, "00") && len(d) >= 7 {
		d = d[2:]
	}
	if ext != "" {
		return d + "x" + ext
	}
	return d
}

var extensionWords = [...]string{"extension", "ext.", "ext", "x", "#", ";ext="}

func cutExtension(s string) (main, ext string) {
	for _, w := range extensionWords {
		i := strings.LastIndex(s, w)
		if i < 0 {
			continue
		}
		if e := digits(s[i+len(w):]); e != "" && len(e) <= 7 {
			return s[:i], e
		}
	}
	return s, ""
}

func digits(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
