package hubspot

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/services/simulate/crm"
)

const maxBody = 4 << 20

// Record is a CRM object as the API shows it.
type Record struct {
	ID         string             `json:"id"`
	Properties map[string]*string `json:"properties"`
	CreatedAt  string             `json:"createdAt"`
	UpdatedAt  string             `json:"updatedAt"`
	Archived   bool               `json:"archived"`
	New        *bool              `json:"new,omitempty"`
}

type paging struct {
	Next struct {
		After string `json:"after"`
		Link  string `json:"link,omitempty"`
	} `json:"next"`
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// modifiedName is where a type keeps its last modification.
func modifiedName(t *crm.Table) string {
	if t.Name == "contact" {
		return "lastmodifieddate"
	}
	return "hs_lastmodifieddate"
}

// value is a property's value, also of those HubSpot keeps itself.
func value(t *crm.Table, r *crm.Row, name string) string {
	switch name {
	case "hs_object_id":
		return r.ID
	case "createdate":
		return stamp(r.Created)
	case modifiedName(t):
		return stamp(r.Modified)
	}
	return r.Values[name]
}

func system(t *crm.Table) []string { return []string{"createdate", "hs_object_id", modifiedName(t)} }

func shown(t *crm.Table) []string {
	return map[string][]string{
		"contact": {"email", "firstname", "lastname"}, "company": {"name", "domain"},
		"deal": {"amount", "closedate", "dealname", "dealstage", "pipeline"},
	}[t.Name]
}

// show is a record with the properties asked for; unknown ones are left out,
// those without a value are null.
func show(t *crm.Table, r *crm.Row, names []string) Record {
	if len(names) == 0 {
		names = shown(t)
	}
	out := Record{
		ID: r.ID, CreatedAt: stamp(r.Created), UpdatedAt: stamp(r.Modified), Archived: r.Deleted, Properties: map[string]*string{},
	}
	for _, name := range append(system(t), names...) {
		if t.Field(name) == nil && !slices.Contains(system(t), name) {
			continue
		}
		out.Properties[name] = nil
		if v := value(t, r, name); v != "" {
			out.Properties[name] = &v
		}
	}
	return out
}

func names(q *request) []string {
	var out []string
	for _, v := range q.URL.Query()["properties"] {
		out = append(out, strings.Split(v, ",")...)
	}
	return out
}

// list pages by id: "after" is the last one seen.
func (s *Server) list(q *request) (int, any) {
	limit, _ := strconv.Atoi(q.URL.Query().Get("limit"))
	if limit == 0 {
		limit = 10
	}
	if limit < 0 || limit > 100 {
		return s.bad("limit must be between 1 and 100")
	}
	after, archived := q.URL.Query().Get("after"), q.URL.Query().Get("archived") == "true"
	out := struct {
		Results []Record `json:"results"`
		Paging  *paging  `json:"paging,omitempty"`
	}{Results: []Record{}}
	for _, r := range q.table.Rows {
		if r.Deleted != archived || after != "" && !less(after, r.ID) {
			continue
		}
		if len(out.Results) == limit {
			out.Paging = &paging{}
			out.Paging.Next.After = out.Results[limit-1].ID
			break
		}
		out.Results = append(out.Results, show(q.table, r, names(q)))
	}
	if out.Paging == nil && !archived {
		s.o.Listed(q.table)
	}
	return http.StatusOK, out
}

// less compares ids as the numbers they are.
func less(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }

func (s *Server) find(t *crm.Table, id, by string) *crm.Row {
	if by != "" && by != "hs_object_id" {
		return t.Find(by, id)
	}
	return t.Get(id)
}

func (s *Server) read(q *request) (int, any) {
	r := s.find(q.table, q.PathValue("id"), q.URL.Query().Get("idProperty"))
	if r == nil {
		return s.notFound()
	}
	return http.StatusOK, show(q.table, r, names(q))
}

// input is what clients send for one record.
type input struct {
	ID         string             `json:"id"`
	IDProperty string             `json:"idProperty"`
	Properties map[string]*string `json:"properties"`
}

func body(q *request, into any) error {
	d := json.NewDecoder(io.LimitReader(q.Body, maxBody))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("Invalid input JSON: %w", err) //nolint:staticcheck // HubSpot's own words
	}
	return nil
}

func (s *Server) create(q *request) (int, any) {
	var in input
	if err := body(q, &in); err != nil {
		return s.bad(err.Error())
	}
	r, status, p := s.insert(q, in)
	if r == nil {
		return status, p
	}
	return http.StatusCreated, show(q.table, r, held(q.table, r))
}

func held(t *crm.Table, r *crm.Row) []string { return t.Held(r) }

func (s *Server) insert(q *request, in input) (*crm.Row, int, any) {
	values, status, p := s.check(q.table, in.Properties)
	if p != nil {
		return nil, status, p
	}
	for _, unique := range []string{"email"} { // domains may repeat
		if r := q.table.Find(unique, values[unique]); r != nil && q.table.Name == "contact" {
			p := s.problem(http.StatusConflict, "CONFLICT", "Contact already exists. Existing ID: "+r.ID)
			p.Context = map[string][]string{"existingId": {r.ID}}
			return nil, http.StatusConflict, p
		}
	}
	r := q.table.Insert(values, "", q.app, s.o.Now())
	s.o.Changed(crm.Change{Table: q.table, Row: r, Operation: "create", Fields: q.table.Held(r), Writer: q.app})
	return r, 0, nil
}

func (s *Server) update(q *request) (int, any) {
	var in input
	if err := body(q, &in); err != nil {
		return s.bad(err.Error())
	}
	r := s.find(q.table, q.PathValue("id"), q.URL.Query().Get("idProperty"))
	if r == nil {
		return s.notFound()
	}
	if status, p := s.write(q, r, in.Properties); p != nil {
		return status, p
	}
	return http.StatusOK, show(q.table, r, held(q.table, r))
}

func (s *Server) write(q *request, r *crm.Row, properties map[string]*string) (int, any) {
	values, status, p := s.check(q.table, properties)
	if p != nil {
		return status, p
	}
	if changed := q.table.Update(r, values, q.app, max(s.o.Now(), r.Modified+1)); len(changed) > 0 {
		s.o.Changed(crm.Change{Table: q.table, Row: r, Operation: "update", Fields: changed, Writer: q.app})
	}
	return 0, nil
}

func (s *Server) archive(q *request) (int, any) {
	if r := q.table.Get(q.PathValue("id")); r != nil {
		q.table.Delete(r, q.app, max(s.o.Now(), r.Modified+1))
		s.o.Changed(crm.Change{Table: q.table, Row: r, Operation: "delete", Writer: q.app})
	}
	return http.StatusNoContent, nil // also for what is not there
}

// check reads properties and says what is wrong with them, as HubSpot does:
// the details once as a list and once inside the message.
func (s *Server) check(t *crm.Table, properties map[string]*string) (map[string]string, int, any) {
	values := map[string]string{}
	var details []Detail
	var texts []string
	for _, name := range slices.Sorted(mapKeys(properties)) {
		v := ""
		if p := properties[name]; p != nil {
			v = *p
		}
		values[name] = v
		if message, code := refuse(t, name, v); code != "" {
			details = append(details, Detail{Message: message, Code: code, Context: map[string][]string{"propertyName": {name}}})
			texts = append(texts, fmt.Sprintf(`{"isValid":false,"message":%q,"error":%q,"name":%q}`, message, code, name))
		}
	}
	if len(details) > 0 {
		status, p := s.bad("Property values were not valid: ["+strings.Join(texts, ",")+"]", details...)
		return nil, status, p
	}
	return values, 0, nil
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func refuse(t *crm.Table, name, v string) (message, code string) {
	f := t.Field(name)
	switch {
	case slices.Contains(system(t), name):
		return fmt.Sprintf("%q is a read only property; its value cannot be set.", name), "READ_ONLY_VALUE"
	case f == nil:
		return fmt.Sprintf("Property %q does not exist", name), "PROPERTY_DOESNT_EXIST"
	case v == "":
		return "", ""
	case f.Options != nil && !slices.Contains(f.Options, v):
		return fmt.Sprintf("%s was not one of the allowed options: [%s]", v, strings.Join(f.Options, ", ")), "INVALID_OPTION"
	case f.Number && !isNumber(v):
		return fmt.Sprintf("%s was not a valid number.", v), "INVALID_INTEGER"
	case f.Type == "email" && !strings.Contains(v, "@"):
		return fmt.Sprintf("Email address %s is invalid", v), "INVALID_EMAIL"
	}
	return "", ""
}

func isNumber(v string) bool {
	_, err := strconv.ParseFloat(v, 64)
	return err == nil
}
