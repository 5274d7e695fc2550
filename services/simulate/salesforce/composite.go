package salesforce

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"plumbline.dev/services/simulate/crm"
)

// Bounds of the composite resources.
const (
	collectionMax = 200
	compositeMax  = 25
)

type collectionIn struct {
	AllOrNone bool                         `json:"allOrNone"`
	Records   []map[string]json.RawMessage `json:"records"`
	IDs       []string                     `json:"ids"`
	Fields    []string                     `json:"fields"`
}

func collectionOf(q *request) (*collectionIn, *answer) {
	var in collectionIn
	if err := json.NewDecoder(http.MaxBytesReader(nil, q.Body, maxBody)).Decode(&in); err != nil {
		a := problem(http.StatusBadRequest, "JSON_PARSER_ERROR", "The body is not a collection of records")
		return nil, &a
	}
	if len(in.Records) > collectionMax || len(in.IDs) > 2000 {
		a := problem(http.StatusBadRequest, "INVALID_BATCH_SIZE", "Record limit reached: 200")
		return nil, &a
	}
	return &in, nil
}

// each is one record's result. The call itself is a 200, whatever they say.
func each(a crm.Answer) json.RawMessage { return json.RawMessage(a.Collection().Body) }

// collection creates (POST) or updates (PATCH) records of any kind.
func (s *Server) collection(q *request) answer {
	in, bad := collectionOf(q)
	if bad != nil {
		return *bad
	}
	out := []json.RawMessage{}
	for _, r := range in.Records {
		out = append(out, each(s.collected(q.Method, r)))
	}
	return answer{http.StatusOK, out}
}

func (s *Server) collected(method string, r map[string]json.RawMessage) crm.Answer {
	var attributes struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(r["attributes"], &attributes)
	t := s.table(attributes.Type)
	if t == nil {
		return crm.Refuse(http.StatusBadRequest, "INVALID_TYPE", "sObject type '"+attributes.Type+"' is not supported.")
	}
	if method == http.MethodPost {
		return s.put(t, nil, false, "", r)
	}
	id := plain(r["id"])
	if id == "" {
		id = plain(r["Id"])
	}
	switch row := find(t, id); {
	case id == "":
		return crm.Refuse(http.StatusBadRequest, "MISSING_ARGUMENT", "Id not specified in an update call")
	case row == nil:
		return crm.Refuse(http.StatusNotFound, "ENTITY_IS_DELETED", "entity is deleted")
	default:
		return s.put(t, row, true, "", r)
	}
}

func (s *Server) collectionUpsert(q *request) answer {
	in, bad := collectionOf(q)
	if bad != nil {
		return *bad
	}
	if s.column(q.table, q.PathValue("field")) != s.o.External {
		return notExternal(q)
	}
	out := []json.RawMessage{}
	for _, r := range in.Records {
		id := ""
		for name, raw := range r {
			if strings.EqualFold(name, s.o.External) {
				id = plain(raw)
			}
		}
		if id == "" {
			out = append(out, each(crm.Refuse(http.StatusBadRequest, "MISSING_ARGUMENT", s.o.External+" not specified")))
			continue
		}
		row := q.table.GetExternal(id)
		out = append(out, each(s.put(q.table, row, row != nil, id, r)))
	}
	return answer{http.StatusOK, out}
}

// collectionRead reads many records by id; one that is not there is null.
func (s *Server) collectionRead(q *request) answer {
	list := q.URL.Query()
	in := &collectionIn{IDs: strings.Split(list.Get("ids"), ","), Fields: strings.Split(list.Get("fields"), ",")}
	if q.Method == http.MethodPost {
		var bad *answer
		if in, bad = collectionOf(q); bad != nil {
			return *bad
		}
	}
	var names []string
	for _, f := range in.Fields {
		c := s.column(q.table, f)
		if c == "" {
			return noColumn(f, q.table.Name)
		}
		names = append(names, c)
	}
	out := []any{}
	for _, id := range in.IDs {
		if r := find(q.table, id); r != nil {
			out = append(out, s.show(q.version, q.table, r, names))
		} else {
			out = append(out, nil)
		}
	}
	return answer{http.StatusOK, out}
}

func (s *Server) collectionDelete(q *request) answer {
	out := []json.RawMessage{}
	for id := range strings.SplitSeq(q.URL.Query().Get("ids"), ",") {
		a := crm.Refuse(http.StatusNotFound, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
		for _, t := range s.o.Tables {
			if r := find(t, id); r != nil {
				s.delete(t, r)
				a = crm.Answer{Status: http.StatusOK, Body: `{"id":"` + r.ID + `","success":true,"errors":[]}`}
			}
		}
		out = append(out, each(a))
	}
	return answer{http.StatusOK, out}
}

type subrequest struct {
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	ReferenceID string          `json:"referenceId"`
	Body        json.RawMessage `json:"body"`
}

type subanswer struct {
	Body   any               `json:"body"`
	Header map[string]string `json:"httpHeaders"`
	Status int               `json:"httpStatusCode"`
	Ref    string            `json:"referenceId"`
}

// reference is "@{name.field}" in a later call.
var reference = regexp.MustCompile(`@\{(\w+)\.(\w+)\}`)

// composite runs calls one after the other, each of which may use what an
// earlier one answered. With allOrNone, those behind a failed one are halted;
// what was written before it stays, other than in a real org.
func (s *Server) composite(q *request) answer {
	var in struct {
		AllOrNone bool         `json:"allOrNone"`
		Requests  []subrequest `json:"compositeRequest"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, q.Body, maxBody)).Decode(&in); err != nil || len(in.Requests) > compositeMax {
		return problem(http.StatusBadRequest, "JSON_PARSER_ERROR", "The body is not a composite request of at most 25 calls")
	}
	answers := map[string]map[string]any{}
	out := []subanswer{}
	halted := false
	for _, r := range in.Requests {
		a := problem(http.StatusBadRequest, "PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.")
		if !halted {
			a = s.sub(q, r, answers)
		}
		halted = halted || in.AllOrNone && a.status >= 300
		out = append(out, subanswer{Body: a.body, Header: map[string]string{}, Status: a.status, Ref: r.ReferenceID})
	}
	return answer{http.StatusOK, map[string]any{"compositeResponse": out}}
}

func (s *Server) sub(q *request, r subrequest, answers map[string]map[string]any) answer {
	fill := func(text string) string {
		return reference.ReplaceAllStringFunc(text, func(m string) string {
			parts := reference.FindStringSubmatch(m)
			v, _ := answers[parts[1]][parts[2]].(string)
			return v
		})
	}
	inner, err := http.NewRequestWithContext(q.Context(), r.Method, fill(r.URL), strings.NewReader(fill(string(r.Body))))
	if err != nil {
		return problem(http.StatusBadRequest, "INVALID_HTTP_REQUEST", "the call cannot be read")
	}
	a := s.inner(inner)
	raw, _ := json.Marshal(a.body)
	var kept map[string]any
	if json.Unmarshal(raw, &kept) == nil {
		answers[r.ReferenceID] = kept
	}
	return a
}

// inner routes a call inside a call. The lock and the token are the outer's.
func (s *Server) inner(r *http.Request) answer {
	mux := http.NewServeMux()
	var got answer
	for pattern, h := range map[string]func(*request) answer{
		"POST /services/data/{version}/sobjects/{object}":               s.create,
		"GET /services/data/{version}/sobjects/{object}/{id}":           s.read,
		"PATCH /services/data/{version}/sobjects/{object}/{id}":         s.update,
		"DELETE /services/data/{version}/sobjects/{object}/{id}":        s.remove,
		"GET /services/data/{version}/sobjects/{object}/{field}/{id}":   s.readBy,
		"PATCH /services/data/{version}/sobjects/{object}/{field}/{id}": s.upsert,
		"GET /services/data/{version}/query":                            s.query,
		"GET /services/data/{version}/queryAll":                         s.queryAll,
	} {
		mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) { got = s.dispatch(r, h) })
	}
	got = notFound()
	mux.ServeHTTP(httptest.NewRecorder(), r)
	return got
}
