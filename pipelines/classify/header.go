package classify

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// headerTest is one line of `header`: present, equal or containing.
type headerTest struct {
	name, value string
	part        bool
	evidence    string
}

func newHeaderRule(r *compiled) headerRule {
	h := headerRule{rule: r}
	for _, src := range r.When.Header {
		if name, value, ok := strings.Cut(src, "~"); ok {
			h.add(name, value, true)
			continue
		}
		name, value, _ := strings.Cut(src, "=")
		h.add(name, value, false)
	}
	return h
}

func (h *headerRule) add(name, value string, part bool) {
	name = strings.ToLower(name)
	h.tests = append(h.tests, headerTest{name, strings.ToLower(value), part, because("the header "+name, h.rule.Because)})
}

func (h *headerRule) match(headers []event.Field) *headerTest {
	for i := range h.tests {
		for j := range headers {
			if foldEqual(headers[j].Name, h.tests[i].name) && h.tests[i].holds(headers[j].Value.Text) {
				return &h.tests[i]
			}
		}
	}
	return nil
}

func (t *headerTest) holds(v string) bool {
	switch {
	case t.value == "":
		return v != ""
	case t.part:
		return foldHas(v, t.value)
	}
	return foldEqual(strings.TrimSpace(v), t.value)
}
