package salesforce

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumbline.dev/services/simulate/crm"
)

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000+0000") }

// systemFields are those that the org keeps itself.
var systemFields = []string{"Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp", "LastModifiedById"}

// column is a field's name as the org writes it, or "" for an unknown one:
// clients may write names in any case.
func (s *Server) column(t *crm.Table, name string) string {
	for _, n := range s.columns(t) {
		if strings.EqualFold(n, name) {
			return n
		}
	}
	return ""
}

func (s *Server) columns(t *crm.Table) []string {
	out := append(slices.Clone(systemFields), s.o.External)
	if t.Name == "Contact" {
		out = append(out, "Name")
	}
	for i := range t.Fields {
		out = append(out, t.Fields[i].Name)
	}
	return out
}

// value is a field's value as text; empty is null.
func (s *Server) value(t *crm.Table, r *crm.Row, name string) string {
	switch name {
	case "Id":
		return r.ID
	case "IsDeleted":
		if r.Deleted {
			return "true"
		}
		return "false"
	case "CreatedDate":
		return stamp(r.Created)
	case "LastModifiedDate", "SystemModstamp":
		return stamp(r.Modified)
	case "LastModifiedById":
		return r.Writer
	case s.o.External:
		return r.External
	case "Name":
		if t.Name == "Contact" {
			return strings.TrimSpace(r.Values["FirstName"] + " " + r.Values["LastName"])
		}
	}
	return r.Values[name]
}

// typed is a value as JSON has it.
func (s *Server) typed(t *crm.Table, r *crm.Row, name string) any {
	v := s.value(t, r, name)
	switch f := t.Field(name); {
	case v == "":
		return nil
	case name == "IsDeleted":
		return v == "true"
	case f != nil && f.Number:
		return json.Number(v)
	}
	return v
}

func (s *Server) show(version string, t *crm.Table, r *crm.Row, names []string) map[string]any {
	out := map[string]any{"attributes": map[string]string{
		"type": t.Name, "url": "/services/data/" + version + "/sobjects/" + t.Name + "/" + r.ID,
	}}
	for _, n := range names {
		out[n] = s.typed(t, r, n)
	}
	return out
}

// asked lists the fields that a request names, or all.
func (s *Server) asked(q *request, t *crm.Table) ([]string, *answer) {
	list := q.URL.Query().Get("fields")
	if list == "" {
		return s.columns(t), nil
	}
	var out []string
	for name := range strings.SplitSeq(list, ",") {
		c := s.column(t, strings.TrimSpace(name))
		if c == "" {
			a := noColumn(name, t.Name)
			return nil, &a
		}
		out = append(out, c)
	}
	return out, nil
}

func noColumn(name, object string) answer {
	return problem(http.StatusBadRequest, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+object)
}

// find is a live record by its id, with 15 or 18 characters.
func find(t *crm.Table, id string) *crm.Row {
	if r := t.Get(id); r != nil || len(id) != 15 {
		return r
	}
	i := slices.IndexFunc(t.Rows, func(r *crm.Row) bool { return !r.Deleted && r.ID[:15] == id })
	if i < 0 {
		return nil
	}
	return t.Rows[i]
}

func (s *Server) read(q *request) answer {
	return s.shown(q, find(q.table, q.PathValue("id")))
}

func (s *Server) shown(q *request, r *crm.Row) answer {
	if r == nil {
		return notFound()
	}
	names, bad := s.asked(q, q.table)
	if bad != nil {
		return *bad
	}
	return answer{http.StatusOK, s.show(q.version, q.table, r, names)}
}

// by finds the record of an external id; false says that the field is none.
func (s *Server) by(q *request) (*crm.Row, bool) {
	id, err := url.PathUnescape(q.PathValue("id"))
	if err != nil {
		id = q.PathValue("id")
	}
	switch s.column(q.table, q.PathValue("field")) {
	case s.o.External:
		return q.table.GetExternal(id), true
	case "Id":
		return find(q.table, id), true
	}
	return nil, false
}

func (s *Server) readBy(q *request) answer {
	r, ok := s.by(q)
	if !ok {
		return notExternal(q)
	}
	return s.shown(q, r)
}

func notExternal(q *request) answer {
	return problem(http.StatusBadRequest, "INVALID_FIELD",
		"Provided external ID field does not exist or is not accessible: "+q.PathValue("field"))
}

// body reads the fields that a client writes.
func (s *Server) body(q *request) (map[string]json.RawMessage, *answer) {
	var in map[string]json.RawMessage
	if err := json.NewDecoder(io.LimitReader(q.Body, maxBody)).Decode(&in); err != nil {
		a := problem(http.StatusBadRequest, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body, or it is not JSON.")
		return nil, &a
	}
	return in, nil
}

// fields turns JSON members into the table's values, and the external id.
func (s *Server) fields(t *crm.Table, in map[string]json.RawMessage) (values map[string]string, external string, bad *crm.Answer) {
	values = map[string]string{}
	for name, raw := range in {
		if name == "attributes" || strings.EqualFold(name, "id") {
			continue
		}
		c := s.column(t, name)
		text := plain(raw)
		switch {
		case c == s.o.External:
			external = text
		case c == "":
			a := crm.Refuse(http.StatusBadRequest, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+t.Name)
			return nil, "", &a
		case t.Field(c) == nil:
			a := crm.Refuse(http.StatusBadRequest, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: "+c+
				". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", c)
			return nil, "", &a
		default:
			values[c] = text
		}
	}
	return values, external, nil
}

func plain(raw json.RawMessage) string {
	var text string
	switch {
	case string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &text) == nil:
		return text
	}
	return string(raw)
}

func (s *Server) create(q *request) answer {
	in, bad := s.body(q)
	if bad != nil {
		return *bad
	}
	return result(s.put(q.table, nil, false, "", in))
}

func (s *Server) update(q *request) answer {
	r := find(q.table, q.PathValue("id"))
	in, bad := s.body(q)
	switch {
	case r == nil:
		return notFound()
	case bad != nil:
		return *bad
	}
	return noContent(s.put(q.table, r, true, "", in))
}

func (s *Server) upsert(q *request) answer {
	r, ok := s.by(q)
	in, bad := s.body(q)
	switch {
	case !ok:
		return notExternal(q)
	case bad != nil:
		return *bad
	}
	return result(s.put(q.table, r, r != nil, q.PathValue("id"), in))
}

func result(a crm.Answer) answer { return refused(a) }

func noContent(a crm.Answer) answer {
	if a.OK() {
		return answer{http.StatusNoContent, nil}
	}
	return refused(a)
}

// put creates or updates one record and tells of it.
func (s *Server) put(t *crm.Table, r *crm.Row, exists bool, external string, in map[string]json.RawMessage) crm.Answer {
	values, named, bad := s.fields(t, in)
	if bad != nil {
		return *bad
	}
	if external == "" {
		external = named
	}
	var a crm.Answer
	if exists {
		a = s.o.Org.Update(t, r, values, s.o.UserID, s.o.Now())
	} else {
		a = s.o.Org.Create(t, external, values, s.o.UserID, s.o.Now())
	}
	if a.OK() && len(a.Changed) > 0 {
		op := "update"
		if a.Created {
			op = "create"
		}
		s.o.Changed(crm.Change{Table: t, Row: t.Get(a.ID), Operation: op, Fields: a.Changed, Writer: s.o.UserID})
	}
	return a
}

func (s *Server) remove(q *request) answer {
	return s.delete(q.table, find(q.table, q.PathValue("id")))
}

func (s *Server) removeBy(q *request) answer {
	r, ok := s.by(q)
	if !ok {
		return notExternal(q)
	}
	return s.delete(q.table, r)
}

func (s *Server) delete(t *crm.Table, r *crm.Row) answer {
	if r == nil {
		return notFound()
	}
	t.Delete(r, s.o.UserID, s.o.Now())
	s.o.Changed(crm.Change{Table: t, Row: r, Operation: "delete", Writer: s.o.UserID})
	return answer{http.StatusNoContent, nil}
}
