package sqltext

import "strings"

// Kind is what the server does differently for a statement.
type Kind uint8

// What the server tells apart.
const (
	Other  Kind = iota // hand it to the engine
	Insert             // INSERT with data after it
	Kill               // KILL QUERY
)

// Statement is one parsed request text.
type Statement struct {
	Kind    Kind
	Head    string // Insert: the statement without FORMAT, VALUES and data
	Format  string // the format the text names, "" for none
	Data    int    // Insert: where the data begins
	Where   string // Kill: its condition
	Test    bool   // Kill: TEST, only list
	Sync    bool   // Kill: SYNC, wait until they are gone
	Outfile bool   // INTO OUTFILE or FROM INFILE: files of the server, refused over HTTP
}

// Parse reads the text. For an INSERT the text may stop anywhere after its data began.
func Parse(src []byte) Statement {
	s := &scanner{lexer: lexer{src: src}}
	s.advance()
	switch {
	case s.is("INSERT"):
		return s.insert()
	case s.is("KILL"):
		s.advance()
		if s.is("QUERY") {
			return s.kill()
		}
	}
	return s.other()
}

// scanner is the lexer with the current token and the depth of brackets before it.
type scanner struct {
	lexer
	tok   token
	depth int
}

func (s *scanner) advance() {
	switch s.punct() {
	case '(', '[', '{':
		s.depth++
	case ')', ']', '}':
		s.depth--
	}
	s.tok = s.next()
}

func (s *scanner) punct() byte {
	if s.tok.kind == punct {
		return s.src[s.tok.start]
	}
	return 0
}

func (s *scanner) text() string { return string(s.src[s.tok.start:s.tok.end]) }

func (s *scanner) is(keyword string) bool {
	return s.tok.kind == word && s.tok.end-s.tok.start == len(keyword) && strings.EqualFold(s.text(), keyword)
}

func (s *scanner) more() bool { return s.tok.kind != end && s.tok.kind != unfinished }

// other looks for the output format at the end of a statement: `FORMAT name [SETTINGS ...]`.
func (s *scanner) other() Statement {
	st := Statement{}
	for s.more() {
		atTop := s.depth == 0
		switch {
		case atTop && s.is("FORMAT"):
			s.advance()
			if s.tok.kind == word || s.tok.kind == quoted {
				st.Format = strings.Trim(s.text(), "`\"")
			}
			continue
		case atTop && (s.is("OUTFILE") || s.is("INFILE")):
			s.advance()
			st.Outfile = st.Outfile || s.tok.kind == text
			continue
		}
		s.advance()
	}
	return st
}
