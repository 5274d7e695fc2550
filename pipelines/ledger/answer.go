package ledger

import (
	"cmp"
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// answer keeps of a failed attempt what may explain a difference later.
func (m *mapping) answer(a *event.Attempt) *Answer {
	class := event.ClassOther
	if a.Verdict != nil {
		class = a.Verdict.Class
	}
	said := &Answer{Code: cmp.Or(a.Code, class), Class: class}
	if target := m.blamed(a); target != "" {
		said.Field = m.fieldName(target)
	}
	return said
}

// blamed is the first of the written fields that the answer names: in its
// message, or quoted in its body.
func (m *mapping) blamed(a *event.Attempt) (field string) {
	first := len(a.Message)
	for i := range m.fields {
		name := m.fields[i].Target
		if len(a.Fields) > 0 && !slices.ContainsFunc(a.Fields, func(f event.Field) bool { return f.Name == name }) {
			continue
		}
		if at := word(a.Message, name); at >= 0 && at < first {
			field, first = name, at
		}
	}
	for i := 0; field == "" && i < len(a.Fields); i++ {
		if name := a.Fields[i].Name; strings.Contains(a.Body, `"`+name+`"`) && m.field(name) != nil {
			field = name
		}
	}
	return field
}

// word is where a name stands by itself in a text, or -1.
func word(text, name string) int {
	for from := 0; name != ""; {
		at := strings.Index(text[from:], name)
		if at < 0 {
			break
		}
		at += from
		end := at + len(name)
		if (at == 0 || !letter(text[at-1])) && (end == len(text) || !letter(text[end])) {
			return at
		}
		from = end
	}
	return -1
}

func letter(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// refusal is the answer to the newest failed write of a field, or of the
// record.
func (f *folding) refusal(target string) *Answer {
	for i := range slices.Backward(f.r.Open) {
		if o := &f.r.Open[i]; o.Answer != nil && !o.settled() && (target == "" || o.wants(target)) {
			return o.Answer
		}
	}
	return nil
}

// madeAt is when the record was made, 0 where that was not followed.
func (f *folding) madeAt() event.Time {
	for i := range f.r.Open {
		if o := &f.r.Open[i]; o.D.Operation == event.OpCreate && !o.D.Reverse {
			return o.D.ChangedAt
		}
	}
	return 0
}

// made is the change that made the record, while it has not arrived: since
// then a record that the target lacks is missing.
func (f *folding) made() *Open {
	for i := range f.r.Open {
		if o := &f.r.Open[i]; o.D.Operation == event.OpCreate && !o.settled() && !o.D.Reverse {
			return o
		}
	}
	return nil
}
