package diff

import (
	"fmt"
	"strings"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/compare"
)

// text is the SQL that writes a column as Nullable(String).
func (c *column) text() string {
	switch {
	case plainType(c.typ) == "String":
		return c.expr
	case c.kind == value.DateTime:
		return "toString(toTimeZone(" + c.expr + ", 'UTC'))"
	}
	return "toString(" + c.expr + ")"
}

// cells are the two sides of a field. Columns of one type compare as they are,
// others as text.
func cells(o *Options, a, b *column) (compare.Cell, compare.Cell) {
	native := a.kind != "" && plainType(a.typ) == plainType(b.typ) && plainType(a.typ) != "String"
	return cell(o, a, native), cell(o, b, native)
}

func cell(o *Options, c *column, native bool) compare.Cell {
	text := compare.TextCell(c.text())
	switch {
	case native:
		// What stands below a NULL is anything: two NULLs may look different,
		// which the judge mends; ifNull costs as much as reading the file.
		text.Same, text.Null = "assumeNotNull("+c.expr+")", "isNull("+c.expr+")"
	case o.IgnoreCase:
		text.Same = "lowerUTF8(" + text.Same + ")"
	}
	return text
}

// judge has the last word on two texts that differ.
func judge(o *Options, kind string) func(a, b event.Value) (bool, string) {
	return func(a, b event.Value) (bool, string) {
		if o.IgnoreCase {
			a.Text, b.Text = strings.ToLower(a.Text), strings.ToLower(b.Text)
		}
		return value.Equal(kind, nil, a, b)
	}
}

// key is the SQL of a side's key. Several columns are joined by a bar, so that
// no two keys become one.
func key(o *Options, p *plan, in *input, position func(pair) int) string {
	var parts []string
	for _, k := range p.key {
		i := position(k)
		part := "ifNull(" + in.columns[i].text() + ", '')"
		if normalised(k.kind) {
			part = fmt.Sprintf("n%d", i)
		}
		if o.IgnoreCase {
			part = "lowerUTF8(" + part + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	var blank, escaped []string
	for _, part := range parts {
		blank = append(blank, part+" = ''")
		escaped = append(escaped, fmt.Sprintf(`replaceAll(replaceAll(%s, '\\', '\\\\'), '|', '\\|')`, part))
	}
	return fmt.Sprintf("if(%s, '', concat(%s))", strings.Join(blank, " AND "), strings.Join(escaped, ", '|', "))
}

// normalised reports whether keys of a kind have a normal form to be paired
// by, which only Go knows to make.
func normalised(kind string) bool { return kind != value.Exact }
