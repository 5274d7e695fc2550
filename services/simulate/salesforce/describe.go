package salesforce

import (
	"net/http"
	"time"

	"plumbline.dev/services/simulate/crm"
)

func (s *Server) versions(w http.ResponseWriter, _ *http.Request) {
	s.write(w, answer{http.StatusOK, []any{
		map[string]string{"label": "Spring '24", "url": "/services/data/v60.0", "version": "60.0"},
		map[string]string{"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"},
	}})
}

func (s *Server) resources(q *request) answer {
	out := map[string]string{}
	for _, name := range []string{"sobjects", "query", "queryAll", "limits", "composite", "jobs"} {
		out[name] = "/services/data/" + q.version + "/" + name
	}
	return answer{http.StatusOK, out}
}

func (s *Server) limits(*request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return answer{http.StatusOK, map[string]any{
		"DailyApiRequests": map[string]int{"Max": s.o.Daily, "Remaining": max(s.o.Daily-s.used, 0)},
		"DataStorageMB":    map[string]int{"Max": 5120, "Remaining": 4096},
	}}
}

func summary(q *request, t *crm.Table) map[string]any {
	base := "/services/data/" + q.version + "/sobjects/" + t.Name
	return map[string]any{
		"name": t.Name, "label": t.Name, "labelPlural": t.Name + "s", "keyPrefix": prefix(t), "custom": false, "queryable": true,
		"createable": true, "updateable": true, "deletable": true, "searchable": true, "retrieveable": true,
		"urls": map[string]string{"sobject": base, "describe": base + "/describe", "rowTemplate": base + "/{ID}"},
	}
}

func prefix(t *crm.Table) string {
	if len(t.Rows) == 0 {
		return ""
	}
	return t.Rows[0].ID[:3]
}

func (s *Server) global(q *request) answer {
	objects := []any{}
	for _, t := range s.o.Tables {
		objects = append(objects, summary(q, t))
	}
	return answer{http.StatusOK, map[string]any{"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}}
}

func (s *Server) basic(q *request) answer {
	return answer{http.StatusOK, map[string]any{"objectDescribe": summary(q, q.table), "recentItems": []any{}}}
}

func (s *Server) describe(q *request) answer {
	fields := []any{}
	for _, name := range s.columns(q.table) {
		fields = append(fields, s.field(q.table, name))
	}
	out := summary(q, q.table)
	out["fields"], out["recordTypeInfos"], out["childRelationships"] = fields, []any{}, []any{}
	return answer{http.StatusOK, out}
}

// kinds are Salesforce's words for how values read.
var kinds = map[string]string{"number": "double", "date": "date", "email": "email", "phone": "phone", "picklist": "picklist"}

func (s *Server) field(t *crm.Table, name string) map[string]any {
	out := map[string]any{
		"name": name, "label": name, "type": "string", "length": 255, "nillable": true, "custom": false, "updateable": true,
		"createable": true, "externalId": name == s.o.External, "unique": name == s.o.External, "picklistValues": []any{},
		"restrictedPicklist": false, "referenceTo": []string{}, "filterable": true, "sortable": true, "calculated": false,
	}
	f := t.Field(name)
	if f == nil {
		out["updateable"], out["createable"] = name == s.o.External, name == s.o.External
		switch name {
		case "Id":
			out["type"], out["length"], out["nillable"] = "id", 18, false
		case "IsDeleted":
			out["type"] = "boolean"
		case "LastModifiedById":
			out["type"], out["referenceTo"] = "reference", []string{"User"}
		case "CreatedDate", "LastModifiedDate", "SystemModstamp":
			out["type"] = "datetime"
		}
		return out
	}
	if k := kinds[f.Type]; k != "" {
		out["type"] = k
	} else if f.Number {
		out["type"] = "double"
	}
	if f.Max > 0 {
		out["length"] = f.Max
	}
	out["nillable"], out["defaultedOnCreate"] = !f.Required, false
	if name == "OwnerId" {
		out["type"], out["referenceTo"], out["length"] = "reference", []string{"User"}, 18
		return out
	}
	if f.Options != nil {
		values := []any{}
		for _, v := range f.Options {
			values = append(values, map[string]any{"active": true, "defaultValue": false, "label": v, "value": v})
		}
		out["picklistValues"], out["restrictedPicklist"] = values, true
	}
	return out
}

// updated lists records that changed between two instants.
func (s *Server) updated(q *request) answer { return s.between(q, false) }

func (s *Server) deleted(q *request) answer { return s.between(q, true) }

func (s *Server) between(q *request, deleted bool) answer {
	from, errFrom := time.Parse(time.RFC3339, q.URL.Query().Get("start"))
	to, errTo := time.Parse(time.RFC3339, q.URL.Query().Get("end"))
	if errFrom != nil || errTo != nil || !to.After(from) {
		return problem(http.StatusBadRequest, "INVALID_REPLICATION_DATE", "startDate must be before endDate, both ISO 8601")
	}
	ids, gone := []string{}, []any{}
	for _, r := range q.table.Rows {
		if r.Modified < from.UnixMilli() || r.Modified >= to.UnixMilli() || r.Deleted != deleted {
			continue
		}
		ids = append(ids, r.ID)
		gone = append(gone, map[string]string{"id": r.ID, "deletedDate": stamp(r.Modified)})
	}
	if deleted {
		return answer{http.StatusOK, map[string]any{
			"deletedRecords": gone, "earliestDateAvailable": stamp(0), "latestDateCovered": stamp(to.UnixMilli()),
		}}
	}
	return answer{http.StatusOK, map[string]any{"ids": ids, "latestDateCovered": stamp(to.UnixMilli())}}
}
