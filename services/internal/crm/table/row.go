package table

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

// converter makes records of rows.
type converter struct {
	q                         crm.Query
	t                         config.Table
	id, at, made, gone, scope int
	fields                    []int // positions of the query's fields, -1 = not there
	kinds                     []string
}

// columns learns where what is. It returns a column that has to be there and
// is not; a field that is missing is null, as in a CRM.
func (c *converter) columns(columns []column) (missing string) {
	c.kinds = make([]string, len(columns))
	for i, x := range columns {
		c.kinds[i] = x.kind
	}
	find := func(name string) int {
		if name == "" {
			return -1
		}
		for i, x := range columns {
			if strings.EqualFold(x.name, name) {
				return i
			}
		}
		if missing == "" {
			missing = name
		}
		return -1
	}
	c.id, c.at, c.made, c.gone = find(c.t.ID), find(c.t.Modified), find(c.t.Created), find(c.t.Deleted)
	must := missing
	c.scope = find(scopeColumn)
	c.fields = c.fields[:0]
	for _, f := range c.q.Fields {
		c.fields = append(c.fields, find(f))
	}
	return must
}

func (c *converter) record(cells [][]byte) crm.Record {
	x := crm.Record{Object: c.q.Object, Fields: make([]event.Field, len(c.fields))}
	cell := func(i int) string {
		if i < 0 || i >= len(cells) {
			return ""
		}
		return string(cells[i])
	}
	x.ID = cell(c.id)
	x.ModifiedAt, x.CreatedAt = instant(cell(c.at)), instant(cell(c.made))
	x.Deleted = truth(cell(c.gone))
	x.OutOfScope = c.scope >= 0 && !truth(cell(c.scope))
	for i, name := range c.q.Fields {
		v := event.Value{Kind: event.KindNull}
		if at := c.fields[i]; at >= 0 && at < len(cells) && cells[at] != nil {
			v = typed(c.kinds[at], cells[at])
		}
		x.Fields[i] = event.Field{Name: name, Value: v}
	}
	return x
}

// typed is a cell as the kind of its column has it.
func typed(kind string, cell []byte) event.Value {
	switch text := string(cell); {
	case text == "":
		return event.Value{Kind: event.KindNull}
	case kind == value.Number && json.Valid(cell):
		return event.Value{Kind: event.KindNumber, Text: text}
	case kind == value.Bool:
		return event.Value{Kind: event.KindBool, Text: strconv.FormatBool(truth(text))}
	default:
		return event.Value{Text: text}
	}
}

// truth reads what databases write for yes. A time of deletion is one too.
func truth(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "0", "f", "false", "n", "no", "null":
		return false
	}
	return true
}

const millisFrom = 100_000_000_000 // a number above is milliseconds since 1970, below seconds

func instant(s string) event.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n < millisFrom {
			n *= 1000
		}
		return event.Time(n)
	}
	t, err := time.Parse(time.RFC3339Nano, value.Normalize(value.DateTime, event.Value{Text: s}))
	if err != nil {
		return 0
	}
	return event.At(t)
}
