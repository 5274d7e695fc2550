package native

import (
	"strconv"
	"strings"
)

// shape is how a type's values are laid out, which is all that is needed to find where a column ends.
type shape uint8

const (
	fixed     shape = iota // width bytes a row
	str                    // length and bytes
	nullable               // a byte a row, then the values
	array                  // offsets, then the values
	tuple                  // its elements one after the other
	lowCard                // a dictionary and indexes
	complexTy              // JSON, Dynamic, Variant...: clickhouse-go finds the end
)

type dataType struct {
	shape shape
	width int
	args  []dataType
}

var widths = map[string]int{
	"Int8": 1, "UInt8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1,
	"Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
	"Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "IPv4": 4, "Decimal32": 4, "Time": 4,
	"Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Decimal64": 8, "Time64": 8,
	"Int128": 16, "UInt128": 16, "UUID": 16, "IPv6": 16, "Decimal128": 16, "Point": 16,
	"Int256": 32, "UInt256": 32, "Decimal256": 32,
}

// geo types are arrays of arrays of points, this many levels deep.
var geo = map[string]int{"Ring": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}

func parseType(s string) dataType {
	name, args := splitType(s)
	if w, ok := widths[name]; ok {
		return dataType{width: w}
	}
	if depth, ok := geo[name]; ok {
		t := dataType{width: widths["Point"]}
		for range depth {
			t = dataType{shape: array, args: []dataType{t}}
		}
		return t
	}
	switch {
	case strings.HasPrefix(name, "Interval"):
		return dataType{width: 8}
	case name == "String":
		return dataType{shape: str}
	case name == "Decimal" && len(args) > 0:
		return dataType{width: decimalWidth(args[0])}
	case name == "FixedString" && len(args) == 1:
		n, _ := strconv.Atoi(args[0])
		return dataType{width: n}
	}
	return parseNested(name, args)
}

func parseNested(name string, args []string) dataType {
	switch {
	case name == "Nullable" && len(args) == 1:
		return nest(nullable, args[0])
	case name == "Array" && len(args) == 1:
		return nest(array, args[0])
	case name == "LowCardinality" && len(args) == 1:
		// The dictionary holds plain values: its first entry stands for NULL.
		inner, ok := strings.CutPrefix(args[0], "Nullable(")
		if ok {
			inner = strings.TrimSuffix(inner, ")")
		}
		return nest(lowCard, inner)
	case name == "SimpleAggregateFunction" && len(args) >= 2:
		return parseType(args[1])
	case name == "Tuple":
		return tupleOf(args)
	case name == "Map" && len(args) == 2, name == "Nested":
		t := dataType{shape: array, args: []dataType{tupleOf(args)}}
		return propagate(t)
	}
	return dataType{shape: complexTy}
}

func nest(s shape, inner string) dataType {
	return propagate(dataType{shape: s, args: []dataType{parseType(inner)}})
}

func tupleOf(elements []string) dataType {
	t := dataType{shape: tuple}
	for _, e := range elements {
		t.args = append(t.args, parseType(elementType(e)))
	}
	return propagate(t)
}

// propagate makes a type complex when anything inside is: state prefixes come before all data,
// so such a column has to be read as a whole.
func propagate(t dataType) dataType {
	for _, a := range t.args {
		if a.shape == complexTy {
			return dataType{shape: complexTy}
		}
	}
	return t
}

func decimalWidth(precision string) int {
	p, _ := strconv.Atoi(precision)
	switch {
	case p <= 9:
		return 4
	case p <= 18:
		return 8
	case p <= 38:
		return 16
	}
	return 32
}

// splitType cuts `Name(arg, arg)` at the commas of the first level.
func splitType(s string) (name string, args []string) {
	s = strings.TrimSpace(s)
	open := strings.IndexByte(s, '(')
	if open < 0 || !strings.HasSuffix(s, ")") {
		return s, nil
	}
	inner := s[open+1 : len(s)-1]
	from := 0
	scanTop(inner, func(i int, c byte) bool {
		if c == ',' {
			args = append(args, strings.TrimSpace(inner[from:i]))
			from = i + 1
		}
		return true
	})
	if last := strings.TrimSpace(inner[from:]); last != "" {
		args = append(args, last)
	}
	return s[:open], args
}

// elementType drops the name of a tuple's element.
func elementType(s string) string {
	cut := 0
	scanTop(s, func(i int, c byte) bool {
		if c == ' ' {
			cut = i + 1
			return false
		}
		return true
	})
	return s[cut:]
}

// scanTop calls f for the bytes outside of brackets and quotes.
func scanTop(s string, f func(i int, c byte) bool) {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			switch c {
			case '\\':
				i++
			case quote:
				quote = 0
			}
		case c == '\'' || c == '`' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0:
			if !f(i, c) {
				return
			}
		}
	}
}
