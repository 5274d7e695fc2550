package sqltext

import "strings"

// kill reads `KILL QUERY [ON CLUSTER c] WHERE cond [SYNC|ASYNC|TEST] [FORMAT f]`.
func (s *scanner) kill() Statement {
	st := Statement{Kind: Kill}
	for s.more() && !s.is("WHERE") {
		s.advance()
	}
	if !s.more() {
		return Statement{}
	}
	from, to := s.tok.end, s.tok.end
	for s.advance(); s.more() && s.punct() != ';'; s.advance() {
		top := s.depth == 0
		switch {
		case top && s.is("SYNC"):
			st.Sync = true
		case top && s.is("TEST"):
			st.Test = true
		case top && s.is("ASYNC"):
		case top && s.is("FORMAT"):
			s.advance()
			st.Format = s.text()
		default:
			to = s.tok.end
		}
	}
	st.Where = strings.TrimSpace(string(s.src[from:to]))
	return st
}

// ReplaceProcesses puts table in place of `system.processes` after FROM or JOIN.
func ReplaceProcesses(sql, table string) string {
	if !strings.Contains(strings.ToLower(sql), "processes") {
		return sql
	}
	s := &scanner{lexer: lexer{src: []byte(sql)}}
	var out strings.Builder
	done := 0
	for s.advance(); s.more(); s.advance() {
		if !s.is("FROM") && !s.is("JOIN") {
			continue
		}
		probe := *s
		probe.advance()
		at := probe.tok.start
		if !probe.is("system") {
			continue
		}
		if probe.advance(); probe.punct() != '.' {
			continue
		}
		if probe.advance(); !probe.is("processes") {
			continue
		}
		out.WriteString(sql[done:at])
		out.WriteString(table)
		done = probe.tok.end
	}
	return out.String() + sql[done:]
}

// Quote writes a string literal.
func Quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// QuoteName writes an identifier.
func QuoteName(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
