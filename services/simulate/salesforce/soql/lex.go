package soql

import (
	"strconv"
	"strings"
	"time"
)

type word struct {
	text   string
	quoted bool
}

const symbols = "(),"

func lex(s string) ([]word, error) {
	var out []word
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '\'':
			text, n, ok := quoted(s[i+1:])
			if !ok {
				return nil, &Error{"unclosed string literal"}
			}
			out = append(out, word{text, true})
			i += n + 1
		case strings.IndexByte(symbols, c) >= 0:
			out = append(out, word{text: string(c)})
			i++
		case strings.IndexByte("=<>!", c) >= 0:
			n := 1
			if i+1 < len(s) && (s[i+1] == '=' || c == '<' && s[i+1] == '>') {
				n = 2
			}
			out = append(out, word{text: s[i : i+n]})
			i += n
		default:
			n := strings.IndexAny(s[i:], " \t\r\n'(),=<>!")
			if n < 0 {
				n = len(s) - i
			}
			out = append(out, word{text: s[i : i+n]})
			i += n
		}
	}
	return out, nil
}

// quoted reads up to the closing quote and returns how many bytes it took.
func quoted(s string) (string, int, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'':
			return b.String(), i + 1, true
		case '\\':
			if i++; i >= len(s) {
				return "", 0, false
			}
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			default:
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

const day = int64(24 * time.Hour / time.Millisecond)

// value reads a literal. Text stands in quotes; everything else says what it
// is by its form.
func (p *parser) value() (Value, error) {
	if p.at >= len(p.words) {
		return Value{}, p.unexpected()
	}
	w := p.words[p.at]
	p.at++
	if w.quoted {
		return Value{Kind: "text", Text: w.text}, nil
	}
	switch lower := strings.ToLower(w.text); lower {
	case "null":
		return Value{Kind: "null"}, nil
	case "true", "false":
		return Value{Kind: "bool", Text: lower}, nil
	case "today":
		return Value{Kind: "date", MS: p.now - p.now%day}, nil
	case "yesterday":
		return Value{Kind: "date", MS: p.now - p.now%day - day}, nil
	}
	if n, ok := strings.CutPrefix(strings.ToUpper(w.text), "LAST_N_DAYS:"); ok {
		if days, err := strconv.Atoi(n); err == nil && days >= 0 {
			return Value{Kind: "date", MS: p.now - p.now%day - int64(days)*day}, nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999Z0700"} {
		if t, err := time.Parse(layout, w.text); err == nil {
			return Value{Kind: "time", Text: w.text, MS: t.UnixMilli()}, nil
		}
	}
	if t, err := time.Parse("2006-01-02", w.text); err == nil {
		return Value{Kind: "date", Text: w.text, MS: t.UnixMilli()}, nil
	}
	if _, err := strconv.ParseFloat(w.text, 64); err == nil {
		return Value{Kind: "number", Text: w.text}, nil
	}
	p.at--
	return Value{}, p.unexpected()
}
