package config

import (
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// tokenize splits YAML into tokens and repairs one: inside { } the library
// reads [env:NAME] and [host:9092] as mappings, where YAML 1.2 wants a space
// after the colon of a mapping. Our own examples are written that way.
func tokenize(src string) token.Tokens {
	in := lexer.Tokenize(src)
	var out token.Tokens
	for i := 0; i < len(in); i++ {
		tk := in[i]
		for i+2 < len(in) && glued(tk, in[i+1], in[i+2]) {
			next := in[i+2]
			tk = token.New(tk.Value+":"+next.Value, tk.Origin+":"+next.Origin, tk.Position)
			i += 2
		}
		tk.Prev, tk.Next = nil, nil
		out.Add(tk)
	}
	return out
}

// glued reports three tokens that are one plain word with a colon inside.
func glued(a, colon, b *token.Token) bool {
	return colon.Type == token.MappingValueType && plain(a) && plain(b) &&
		a.Position.Line == colon.Position.Line && b.Position.Line == colon.Position.Line &&
		a.Position.Column+len([]rune(a.Value)) == colon.Position.Column && b.Position.Column == colon.Position.Column+1
}

func plain(t *token.Token) bool {
	return t.Indicator == token.NotIndicator && t.Type != token.InvalidType && t.Type != token.CommentType && t.Position != nil
}
