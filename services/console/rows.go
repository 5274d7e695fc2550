package console

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"plumbline.dev/services/console/ask"
)

// field is one filter above a table.
type field struct {
	Name, Value string
	Choices     []string
	Needed      bool
}

// rows serves /rows/{question}: any table by itself, its filters in the
// address.
func (s *Server) rows(w http.ResponseWriter, r *http.Request) {
	q := ask.All[r.PathValue("question")]
	if q == nil {
		http.Error(w, "there is no such table", http.StatusNotFound)
		return
	}
	p := page{path: "/rows/" + q.Name, template: "rows", windows: q.Spans, live: true, params: paramsOf(q), load: loadRows(q)}
	s.serve(p)(w, r)
}

func paramsOf(q *ask.Question) []string {
	out := slices.Clone(q.Needs)
	for _, f := range q.Filters {
		out = append(out, f.Name)
	}
	return out
}

func loadRows(q *ask.Question) func(context.Context, *visit) (*content, error) {
	return func(ctx context.Context, v *visit) (*content, error) {
		sheets, err := v.sheets(ctx, part{name: q.Name, values: flat(v.query), limit: rowsPaged})
		if err != nil {
			return nil, err
		}
		var fields []field
		for _, name := range q.Needs {
			fields = append(fields, field{Name: name, Value: v.get(name), Needed: true})
		}
		for _, f := range q.Filters {
			fields = append(fields, field{f.Name, v.get(f.Name), f.Choices, false})
		}
		return &content{Title: q.Title, Sheets: sheets, Data: fields}, nil
	}
}

func flat(q url.Values) map[string]string {
	out := map[string]string{}
	for name := range maps.Keys(q) {
		out[name] = q.Get(name)
	}
	return out
}

// apiRows serves /api/v1/{question}.
func (s *Server) apiRows(w http.ResponseWriter, r *http.Request) {
	q := ask.All[r.PathValue("question")]
	if q == nil {
		s.answer(w, http.StatusNotFound, apiError{"there is no such question; /api/v1/openapi.json lists them"})
		return
	}
	values := map[string]string{}
	for name, list := range r.URL.Query() {
		if name != "window" && name != "limit" {
			values[name] = list[0]
		}
	}
	win, limit, err := frameOf(r.URL.Query())
	if err != nil {
		s.refuse(w, err)
		return
	}
	v := visit{s: s, person: person(r), window: win, now: s.o.Now().UTC()}
	a, err := v.ask(r.Context(), q.Name, limit, values)
	if err != nil {
		s.refuse(w, err)
		return
	}
	body := map[string]any{"demo": s.o.Demo, "truncated": a.Truncated, "sql": a.SQL, q.Name: a.Objects()}
	if q.Spans {
		body["window"], body["from"], body["to"] = win.Name, a.Params.From, a.Params.To
	}
	s.answer(w, http.StatusOK, body)
}
