package hubspot

import (
	"fmt"
	"net/http"
	"strconv"

	"plumbline.dev/services/simulate/crm"
)

// Property is a property's definition.
type Property struct {
	Name      string   `json:"name"`
	Label     string   `json:"label"`
	Type      string   `json:"type"`
	FieldType string   `json:"fieldType"`
	GroupName string   `json:"groupName"`
	Options   []option `json:"options"`
	Unique    bool     `json:"hasUniqueValue"`
	Archived  bool     `json:"archived"`
	Metadata  struct {
		ReadOnlyValue bool `json:"readOnlyValue"`
	} `json:"modificationMetadata"`
}

type option struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden"`
	Order  int    `json:"displayOrder"`
}

func define(t *crm.Table, f *crm.Field) Property {
	p := Property{Name: f.Name, Label: f.Name, Type: "string", FieldType: "text", GroupName: t.Name + "information", Options: []option{}}
	switch f.Type {
	case "number":
		p.Type, p.FieldType = "number", "number"
	case "date":
		p.Type, p.FieldType = "date", "date"
	case "datetime":
		p.Type, p.FieldType = "datetime", "date"
	case "phone":
		p.FieldType = "phonenumber"
	}
	for i, o := range f.Options {
		p.Type, p.FieldType = "enumeration", "select"
		p.Options = append(p.Options, option{Label: o, Value: o, Order: i})
	}
	p.Unique = f.Name == "email"
	return p
}

func definitions(t *crm.Table) []Property {
	var out []Property
	for i := range t.Fields {
		out = append(out, define(t, &t.Fields[i]))
	}
	for _, name := range system(t) {
		f := crm.Field{Name: name, Type: "datetime"}
		if name == "hs_object_id" {
			f.Type = "number"
		}
		p := define(t, &f)
		p.Metadata.ReadOnlyValue = true
		out = append(out, p)
	}
	return out
}

func (s *Server) properties(q *request) (int, any) {
	return http.StatusOK, map[string]any{"results": definitions(q.table)}
}

func (s *Server) schema(q *request) (int, any) {
	required := []string{}
	for _, f := range q.table.Fields {
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return http.StatusOK, map[string]any{
		"name": q.table.Name, "labels": map[string]string{"singular": q.table.Name}, "requiredProperties": required,
		"properties": definitions(q.table), "associations": []any{}, "archived": false,
	}
}

func (s *Server) property(q *request) (int, any) {
	for _, p := range definitions(q.table) {
		if p.Name == q.PathValue("name") {
			return http.StatusOK, p
		}
	}
	return s.notFound()
}

func (s *Server) owners(*request) (int, any) {
	results := []any{}
	for i, id := range s.o.Owners {
		results = append(results, map[string]any{
			"id": id, "email": fmt.Sprintf("owner%d@example.com", i+1), "firstName": "Owner", "lastName": strconv.Itoa(i + 1),
			"archived": false, "createdAt": stamp(1_700_000_000_000), "updatedAt": stamp(1_700_000_000_000),
		})
	}
	return http.StatusOK, map[string]any{"results": results}
}

// listOf knows one list, "1": every contact.
func (s *Server) listOf(q *request) (int, any) {
	t := s.table("contact")
	if q.PathValue("list") != "1" || t == nil {
		return s.notFound()
	}
	n := 0
	for _, r := range t.Rows {
		if !r.Deleted {
			n++
		}
	}
	return http.StatusOK, map[string]any{"list": map[string]any{
		"listId": "1", "name": "All contacts", "objectTypeId": "0-1", "processingType": "DYNAMIC", "processingStatus": "COMPLETE",
		"additionalProperties": map[string]string{"hs_list_size": strconv.Itoa(n)},
	}}
}

func (s *Server) members(q *request) (int, any) {
	t := s.table("contact")
	if q.PathValue("list") != "1" || t == nil {
		return s.notFound()
	}
	q.table = t
	limit, _ := strconv.Atoi(q.URL.Query().Get("limit"))
	if limit < 1 || limit > 250 {
		limit = 100
	}
	after := q.URL.Query().Get("after")
	results := []any{}
	last, more := "", false
	for _, r := range t.Rows {
		if r.Deleted || after != "" && !less(after, r.ID) {
			continue
		}
		if len(results) == limit {
			more = true
			break
		}
		last = r.ID
		results = append(results, map[string]string{"recordId": r.ID, "membershipTimestamp": stamp(r.Created)})
	}
	out := map[string]any{"results": results}
	if more {
		out["paging"] = map[string]any{"next": map[string]string{"after": last}}
	}
	return http.StatusOK, out
}

func (s *Server) account(*request) (int, any) {
	portal, _ := strconv.ParseInt(s.o.Portal, 10, 64)
	return http.StatusOK, map[string]any{
		"portalId": portal, "accountType": "STANDARD", "timeZone": "UTC", "companyCurrency": "USD",
		"additionalCurrencies": []string{}, "utcOffset": "+00:00", "utcOffsetMilliseconds": 0,
		"uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
	}
}

func (s *Server) usage(*request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.StatusOK, map[string]any{"results": []any{map[string]any{
		"name": "private-apps-api-calls-daily", "usageLimit": s.o.Daily, "currentUsage": s.day,
		"collectedAt": s.o.Wall().UTC().Format("2006-01-02T15:04:05.000Z"), "fetchStatus": "SUCCESS",
	}}}
}

// link is an association between two records.
type link struct{ from, to string }

func (s *Server) associations(q *request) (int, any) {
	to := s.table(q.PathValue("to"))
	if to == nil {
		return s.notFound()
	}
	results := []any{}
	for _, l := range s.links {
		if l.from == q.PathValue("id") && to.Get(l.to) != nil {
			results = append(results, map[string]any{"toObjectId": l.to, "associationTypes": []any{
				map[string]any{"category": "HUBSPOT_DEFINED", "typeId": 1, "label": nil},
			}})
		}
	}
	return http.StatusOK, map[string]any{"results": results}
}

func (s *Server) associate(q *request) (int, any) {
	to := s.table(q.PathValue("to"))
	if to == nil || q.table.Get(q.PathValue("id")) == nil || to.Get(q.PathValue("toID")) == nil {
		return s.notFound()
	}
	s.links = append(s.links, link{q.PathValue("id"), q.PathValue("toID")}, link{q.PathValue("toID"), q.PathValue("id")})
	return http.StatusOK, map[string]any{"status": "COMPLETE", "results": []any{}}
}

// token answers the OAuth endpoint: a refresh token gives an access token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil || r.Form.Get("grant_type") != "refresh_token" {
		s.answer(w, http.StatusBadRequest, map[string]string{"status": "BAD_GRANT_TYPE", "message": "missing or unknown grant_type"})
		return
	}
	if s.o.Refresh == "" || r.Form.Get("refresh_token") != s.o.Refresh {
		s.answer(w, http.StatusBadRequest, map[string]string{"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"})
		return
	}
	s.mu.Lock()
	access := "oauth-" + s.correlation()
	s.tokens[access] = "app-" + r.Form.Get("client_id")
	s.mu.Unlock()
	s.answer(w, http.StatusOK, map[string]any{
		"token_type": "bearer", "access_token": access, "refresh_token": s.o.Refresh, "expires_in": 1800,
	})
}
