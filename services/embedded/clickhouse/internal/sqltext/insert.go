package sqltext

import "strings"

// insert splits `INSERT INTO t (...) FORMAT x <data>` and `... VALUES <data>`.
func (s *scanner) insert() Statement {
	s.advance()
	for _, optional := range []string{"INTO", "TABLE", "FUNCTION"} {
		if s.is(optional) {
			s.advance()
		}
	}
	s.skipName()
	for s.more() {
		if s.depth > 0 || s.tok.kind != word {
			s.advance()
			continue
		}
		at := s.tok.start
		switch {
		case s.is("VALUES"):
			return Statement{Kind: Insert, Head: string(s.src[:at]), Format: "Values", Data: s.tok.end}
		case s.is("FORMAT"):
			return s.insertFormat(at)
		case s.is("SELECT"), s.is("WITH"), s.is("WATCH"), s.is("FROM"):
			return s.other()
		}
		s.advance()
	}
	return Statement{}
}

// skipName passes over the table, so that one named "format" or "values" is not read as a keyword.
func (s *scanner) skipName() {
	s.advance()
	for s.punct() == '.' {
		s.advance()
		s.advance()
	}
}

// insertFormat reads the format's name, a SETTINGS clause after it, and finds the first byte of data.
func (s *scanner) insertFormat(at int) Statement {
	st := Statement{Kind: Insert, Head: string(s.src[:at])}
	s.advance()
	if s.tok.kind != word && s.tok.kind != quoted {
		return Statement{}
	}
	st.Format = strings.Trim(s.text(), "`\"")
	st.Data = skipLineEnd(s.src, s.tok.end)
	if strings.EqualFold(st.Format, "Values") {
		st.Data = s.tok.end
	}
	if s.advance(); s.is("SETTINGS") {
		begin := s.tok.start
		if stop, ok := s.settings(); ok {
			st.Head += " " + string(s.src[begin:stop])
			st.Data = skipLineEnd(s.src, stop)
		}
	}
	return st
}

// settings reads `name = value, ...` and returns where it ends.
func (s *scanner) settings() (stop int, ok bool) {
	for {
		s.advance()
		if s.tok.kind != word {
			return 0, false
		}
		if s.advance(); s.punct() != '=' {
			return 0, false
		}
		s.advance()
		if s.tok.kind != word && s.tok.kind != number && s.tok.kind != text {
			return 0, false
		}
		stop = s.tok.end
		// A comma that belongs to the next setting sits right here; anything else is data.
		if rest := strings.TrimLeft(string(s.src[stop:min(len(s.src), stop+64)]), " \t"); !strings.HasPrefix(rest, ",") {
			return stop, true
		}
		s.advance()
	}
}

// skipLineEnd drops the blanks and the one line end between the statement and its data; more would
// eat into formats in which white space counts.
func skipLineEnd(src []byte, pos int) int {
	for pos < len(src) && (src[pos] == ' ' || src[pos] == '\t' || src[pos] == ';') {
		pos++
	}
	if pos < len(src) && src[pos] == '\r' {
		pos++
	}
	if pos < len(src) && src[pos] == '\n' {
		pos++
	}
	return pos
}
