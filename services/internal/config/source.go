package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"plumbline.dev/schemas/config"
)

// source remembers on which line each path of the file stands, and collects
// what is wrong with it.
type source struct {
	lines    map[string]int
	problems []Problem
}

// line is the path's own, or that of the nearest parent that exists: where
// something is missing, the reader is sent to the block that lacks it.
func (s *source) line(path string) int {
	for path != "" {
		if n, ok := s.lines[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

func (s *source) add(path, format string, args ...any) {
	s.problems = append(s.problems, Problem{Line: s.line(path), Path: path, Text: fmt.Sprintf(format, args...)})
}

func (s *source) sorted() []Problem {
	slices.SortStableFunc(s.problems, func(a, b Problem) int { return a.Line - b.Line })
	return s.problems
}

// decode reads YAML. Unknown keys and wrong shapes are collected in source;
// what stops the reader at once is returned.
func decode(b []byte) (cfg *config.Config, src *source, bad *Problem) {
	// The YAML library has panicked on hostile input before; a config file
	// that does so is simply one that cannot be read.
	defer func() {
		if r := recover(); r != nil {
			cfg, src, bad = nil, nil, &Problem{Line: 1, Text: "is not YAML that can be read"}
		}
	}()
	cfg, src = new(config.Config), &source{lines: map[string]int{}}
	file, err := parser.Parse(tokenize(string(b)), 0)
	if err != nil {
		return nil, nil, located(err)
	}
	if len(file.Docs) > 1 {
		return nil, nil, &Problem{Line: lineOf(file.Docs[1].Body), Text: "is a second document: one file holds one configuration"}
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.NullType || onlyComments(file.Docs[0].Body) {
		return cfg, src, nil
	}
	src.walk(file.Docs[0].Body, reflect.TypeFor[config.Config](), "")
	if len(src.problems) > 0 {
		return cfg, src, nil
	}
	if err := yaml.NodeToValue(file.Docs[0].Body, cfg, yaml.Strict()); err != nil {
		return nil, nil, located(err)
	}
	return cfg, src, nil
}

func onlyComments(n ast.Node) bool { return n.Type() == ast.CommentType }

// located turns the library's many-line error into one line with its place.
func located(err error) *Problem {
	var e yaml.Error
	if !errors.As(err, &e) {
		return &Problem{Line: 1, Text: strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	p := &Problem{Line: 1, Text: strings.ReplaceAll(e.GetMessage(), "\n", " ")}
	if t := e.GetToken(); t != nil && t.Position != nil {
		p.Line = t.Position.Line
	}
	return p
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}
