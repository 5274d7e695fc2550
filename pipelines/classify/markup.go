package classify

import "strings"

// looksHTML reports whether a body is a web page.
func looksHTML(body string) bool {
	body = strings.TrimLeft(body, " \t\r\n\ufeff")
	if len(body) == 0 || body[0] != '<' {
		return false
	}
	head := body[:min(len(body), 512)]
	return foldHas(head, "<html") || foldHas(head, "<!doctype html") || foldHas(head, "<head") || foldHas(head, "<body") ||
		foldHas(head, "<title") || foldHas(head, "<h1") || foldHas(head, "<center")
}

// foldHas is strings.Contains without regard to ASCII case; part is lower case.
func foldHas(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if foldEqual(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

func foldEqual(s, low string) bool {
	if len(s) != len(low) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if upper[c] {
			c += 32
		}
		if c != low[i] {
			return false
		}
	}
	return true
}

// skipTag steps over a tag, and over the content of scripts and styles.
func skipTag(s string, i int) int {
	if i+1 >= len(s) || !alnum[s[i+1]] && s[i+1] != '/' && s[i+1] != '!' && s[i+1] != '?' {
		return i + 1
	}
	for _, name := range [...]string{"script", "style"} {
		if end := i + 1 + len(name); end < len(s) && foldEqual(s[i+1:end], name) {
			closing := strings.Index(s[end:], "</")
			if closing < 0 {
				return len(s)
			}
			i = end + closing
		}
	}
	if end := strings.IndexByte(s[i:min(len(s), i+2048)], '>'); end > 0 {
		return i + end + 1
	}
	return i + 1
}

// skipEntity steps over &quot; and the like; a lone & separates words.
func skipEntity(s string, i int) int {
	if end := strings.IndexByte(s[i:min(len(s), i+9)], ';'); end > 1 && !strings.ContainsAny(s[i:i+end], " =") {
		return i + end + 1
	}
	return i + 1
}

func skipUntilSpace(s string, i int) int {
	if n := strings.IndexAny(s[i:], " \t\r\n\"'<>)]},;"); n >= 0 {
		return i + n
	}
	return len(s)
}
