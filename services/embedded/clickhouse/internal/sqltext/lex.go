// Package sqltext reads just enough of ClickHouse's SQL to route a statement: where an INSERT's data
// begins, which output format a query names, and what a KILL QUERY asks for.
//
// The engine's parser stays the judge of what is valid; text this package does not understand is passed on whole.
package sqltext

import (
	"bytes"
	"strings"
)

type kind uint8

const (
	end kind = iota
	word
	quoted // "x" or `x`
	text   // 'x' or $tag$x$tag$
	number
	punct
	unfinished // a quote or comment that runs past the text
)

type token struct {
	kind       kind
	start, end int
}

type lexer struct {
	src []byte
	pos int
}

func (l *lexer) next() token {
	if !l.skipBlank() {
		return token{unfinished, l.pos, len(l.src)}
	}
	if l.pos >= len(l.src) {
		return token{end, l.pos, l.pos}
	}
	start := l.pos
	switch c := l.src[start]; {
	case isWord(c):
		for l.pos < len(l.src) && isWord(l.src[l.pos]) {
			l.pos++
		}
		if c >= '0' && c <= '9' {
			return token{number, start, l.pos}
		}
		return token{word, start, l.pos}
	case c == '\'':
		return l.quote(text, c)
	case c == '"' || c == '`':
		return l.quote(quoted, c)
	case c == '$':
		return l.heredoc()
	}
	l.pos++
	return token{punct, start, l.pos}
}

// quote reads to the closing quote; a backslash and a doubled quote both escape.
func (l *lexer) quote(k kind, q byte) token {
	start := l.pos
	for l.pos++; l.pos < len(l.src); l.pos++ {
		switch l.src[l.pos] {
		case '\\':
			l.pos++
		case q:
			if l.pos+1 < len(l.src) && l.src[l.pos+1] == q {
				l.pos++
				continue
			}
			l.pos++
			return token{k, start, l.pos}
		}
	}
	l.pos = len(l.src)
	return token{unfinished, start, l.pos}
}

func (l *lexer) heredoc() token {
	start := l.pos
	rest := l.src[start+1:]
	n := bytes.IndexByte(rest, '$')
	if n < 0 || bytes.ContainsFunc(rest[:n], func(r rune) bool { return r > 127 || !isWord(byte(r)) }) {
		l.pos++
		return token{punct, start, l.pos}
	}
	tag := l.src[start : start+n+2]
	body := bytes.Index(l.src[start+len(tag):], tag)
	if body < 0 {
		l.pos = len(l.src)
		return token{unfinished, start, l.pos}
	}
	l.pos = start + 2*len(tag) + body
	return token{text, start, l.pos}
}

// skipBlank passes over white space and comments; false means a comment is not closed.
func (l *lexer) skipBlank() bool {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v\x00", rest[0]) >= 0:
			l.pos++
		case bytes.HasPrefix(rest, []byte("--")), bytes.HasPrefix(rest, []byte("# ")), bytes.HasPrefix(rest, []byte("#!")):
			n := bytes.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest) - 1
			}
			l.pos += n + 1
		case bytes.HasPrefix(rest, []byte("/*")):
			n := bytes.Index(rest[2:], []byte("*/"))
			if n < 0 {
				return false
			}
			l.pos += n + 4
		default:
			return true
		}
	}
	return true
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
