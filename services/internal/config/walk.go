package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"plumbline.dev/schemas/config"
)

var durationType = reflect.TypeFor[config.Duration]()

// walk compares a node with the type it will be decoded into. It returns the
// node to decode: where text is wanted, what was written, whatever YAML takes
// it for (a Salesforce user id 005000000000001 is no octal number).
func (s *source) walk(n ast.Node, t reflect.Type, path string) ast.Node {
	s.lines[path] = lineOf(n)
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		s.add(path, "uses an anchor, alias or tag: write the value out")
		return n
	case *ast.NullNode:
		return n
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == durationType:
		s.duration(n, path)
	case t.Kind() == reflect.Struct:
		s.mapping(n, path, func(key string, v ast.Node, p string) ast.Node { return s.member(key, v, t, path, p) })
	case t.Kind() == reflect.Map:
		s.mapping(n, path, func(_ string, v ast.Node, p string) ast.Node { return s.walk(v, t.Elem(), p) })
	case t.Kind() == reflect.Slice:
		return s.list(n, t, path)
	case t.Kind() == reflect.String:
		s.scalar(n, path, "a single value")
		return text(n)
	default:
		s.scalar(n, path, "a single value")
	}
	return n
}

// text is a number or a word like yes as it was written.
func text(n ast.Node) ast.Node {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		tk := n.GetToken()
		return ast.String(token.String(tk.Value, tk.Origin, tk.Position))
	}
	return n
}

func (s *source) duration(n ast.Node, path string) {
	s.scalar(n, path, "a duration like 90s, 15m or 2h")
	if sc, ok := n.(ast.ScalarNode); ok {
		v := fmt.Sprint(sc.GetValue())
		if d, err := time.ParseDuration(v); err != nil || d < 0 {
			s.add(path, "is %q, expected a duration like 90s, 15m or 2h", v)
		}
	}
}

// mapping visits the members of a block. A block of one member has a node
// type of its own.
func (s *source) mapping(n ast.Node, path string, visit func(key string, v ast.Node, path string) ast.Node) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		s.add(path, "is %s, expected a block of `name: value` lines", shape(n))
		return
	}
	for _, mv := range values {
		key, ok := mv.Key.(ast.ScalarNode)
		if !ok {
			s.add(path, "has a key that is not a plain name")
			continue
		}
		if k, ok := text(key).(*ast.StringNode); ok {
			mv.Key = k
		}
		name := mv.Key.GetToken().Value
		p := join(path, name)
		s.lines[p] = lineOf(mv.Key)
		mv.Value = visit(name, mv.Value, p)
		s.lines[p] = lineOf(mv.Key)
	}
}

func (s *source) member(key string, v ast.Node, t reflect.Type, parent, path string) ast.Node {
	f, ok := fieldByTag(t, key)
	if !ok {
		s.unknown(key, t, parent, path)
		return v
	}
	return s.walk(v, f.Type, path)
}

func (s *source) unknown(key string, t reflect.Type, parent, path string) {
	names := tags(t)
	where := "at the top level"
	if parent != "" {
		where = "in " + parent
	}
	if near, ok := nearest(key, names); ok {
		s.add(path, "is not known %s; did you mean %q?", where, near)
		return
	}
	slices.Sort(names)
	s.add(path, "is not known %s; known are %s", where, strings.Join(names, ", "))
}

func (s *source) list(n ast.Node, t reflect.Type, path string) ast.Node {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		if strings.HasPrefix(t.Name(), "List[") { // one value stands for a list of one
			return s.walk(n, t.Elem(), path)
		}
		s.add(path, "is %s, expected a list", shape(n))
		return n
	}
	for i, v := range seq.Values {
		seq.Values[i] = s.walk(v, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
	}
	return n
}

func (s *source) scalar(n ast.Node, path, want string) {
	if _, ok := n.(ast.ScalarNode); !ok {
		s.add(path, "is %s, expected %s", shape(n), want)
	}
}

func shape(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a block"
	case *ast.SequenceNode:
		return "a list"
	case ast.ScalarNode:
		return "a single value"
	}
	return "something else"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func fieldByTag(t reflect.Type, key string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if f.Tag.Get("yaml") == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func tags(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}
