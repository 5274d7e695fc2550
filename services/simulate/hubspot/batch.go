package hubspot

import (
	"net/http"
	"time"

	"plumbline.dev/services/simulate/crm"
)

// batchMax is HubSpot's bound on the inputs of one call.
const batchMax = 100

type batchIn struct {
	Inputs     []input  `json:"inputs"`
	Properties []string `json:"properties"`
	IDProperty string   `json:"idProperty"`
}

// batchOut is the answer, with 207 where some inputs failed. A caller that
// looks only for errors of the whole misses them.
type batchOut struct {
	Status      string    `json:"status"`
	Results     []Record  `json:"results"`
	StartedAt   string    `json:"startedAt"`
	CompletedAt string    `json:"completedAt"`
	NumErrors   int       `json:"numErrors,omitempty"`
	Errors      []Problem `json:"errors,omitempty"`
}

// batch routes /batch/{verb}.
func (s *Server) batch(q *request) (int, any) {
	var in batchIn
	if err := body(q, &in); err != nil {
		return s.bad(err.Error())
	}
	if len(in.Inputs) > batchMax {
		return s.bad("batch size may not exceed 100 objects")
	}
	one := map[string]func(*request, input, *batchIn, *batchOut) *Problem{
		"read": s.batchRead, "create": s.batchCreate, "update": s.batchUpdate, "upsert": s.batchUpsert, "archive": s.batchArchive,
	}[q.PathValue("verb")]
	if one == nil {
		return s.notFound()
	}
	now := s.o.Wall().UTC().Format(time.RFC3339Nano)
	out := batchOut{Status: "COMPLETE", Results: []Record{}, StartedAt: now, CompletedAt: now}
	for _, i := range in.Inputs {
		if p := one(q, i, &in, &out); p != nil {
			out.Errors, out.NumErrors = append(out.Errors, *p), out.NumErrors+1
		}
	}
	switch {
	case len(out.Errors) > 0:
		return http.StatusMultiStatus, out
	case q.PathValue("verb") == "create":
		return http.StatusCreated, out
	case q.PathValue("verb") == "archive":
		return http.StatusNoContent, nil
	}
	return http.StatusOK, out
}

func (s *Server) missing(id string) *Problem {
	p := s.problem(http.StatusNotFound, "OBJECT_NOT_FOUND", "Could not get some objects, they may be deleted or not exist. Check that ids are valid.")
	p.Context = map[string][]string{"ids": {id}}
	return &p
}

func (s *Server) batchRead(q *request, i input, in *batchIn, out *batchOut) *Problem {
	r := s.find(q.table, i.ID, in.IDProperty)
	if r == nil {
		return s.missing(i.ID)
	}
	out.Results = append(out.Results, show(q.table, r, in.Properties))
	return nil
}

func (s *Server) batchCreate(q *request, i input, _ *batchIn, out *batchOut) *Problem {
	r, _, bad := s.insert(q, i)
	if r == nil {
		return asProblem(bad)
	}
	out.Results = append(out.Results, show(q.table, r, held(q.table, r)))
	return nil
}

func (s *Server) batchUpdate(q *request, i input, _ *batchIn, out *batchOut) *Problem {
	r := s.find(q.table, i.ID, i.IDProperty)
	if r == nil {
		return s.missing(i.ID)
	}
	return s.change(q, r, i, out, nil)
}

func (s *Server) change(q *request, r *crm.Row, i input, out *batchOut, isNew *bool) *Problem {
	if _, bad := s.write(q, r, i.Properties); bad != nil {
		return asProblem(bad)
	}
	shown := show(q.table, r, held(q.table, r))
	shown.New = isNew
	out.Results = append(out.Results, shown)
	return nil
}

func (s *Server) batchUpsert(q *request, i input, in *batchIn, out *batchOut) *Problem {
	isNew := false
	if r := s.find(q.table, i.ID, i.IDProperty); r != nil {
		return s.change(q, r, i, out, &isNew)
	}
	if i.IDProperty != "" && i.Properties != nil && i.Properties[i.IDProperty] == nil {
		i.Properties[i.IDProperty] = &i.ID
	}
	if p := s.batchCreate(q, i, in, out); p != nil {
		return p
	}
	isNew = true
	out.Results[len(out.Results)-1].New = &isNew
	return nil
}

func (s *Server) batchArchive(q *request, i input, _ *batchIn, _ *batchOut) *Problem {
	if r := q.table.Get(i.ID); r != nil {
		q.table.Delete(r, q.app, max(s.o.Now(), r.Modified+1))
		s.o.Changed(crm.Change{Table: q.table, Row: r, Operation: "delete", Writer: q.app})
	}
	return nil
}

func asProblem(v any) *Problem {
	p, _ := v.(Problem)
	return &p
}
