package crm

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Answer is what a CRM says to one write of one record.
type Answer struct {
	Status  int
	Code    string
	Message string
	Fields  []string
	Body    string
	ID      string
	Created bool
	Changed []string          // what the write changed
	Dropped bool              // it says ok, and nothing was stored
	Stored  map[string]string // other values than those written; nil: the same

	RetryAfter int64 // seconds to wait before another try
}

// OK reports whether the write was taken.
func (a *Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Salesforce is the org: its tables and the words it refuses in.
type Salesforce struct{ Tables map[string]*Table }

// Upsert writes a record by its external id.
func (s *Salesforce) Upsert(object, external string, values map[string]string, writer string, at int64) Answer {
	t := s.Tables[object]
	if r := t.GetExternal(external); r != nil {
		return s.Update(t, r, values, writer, at)
	}
	return s.Create(t, external, values, writer, at)
}

// Create makes a record, unless its values or a duplicate rule forbid it.
func (s *Salesforce) Create(t *Table, external string, values map[string]string, writer string, at int64) Answer {
	if a := validate(t, values); !a.OK() {
		return a
	}
	if r := t.GetExternal(external); r != nil {
		return Refuse(400, "DUPLICATE_VALUE", "duplicate value found: HubSpot_Id__c duplicates value on record with id: "+r.ID, "HubSpot_Id__c")
	}
	if dup := duplicate(t, values); dup != nil {
		return duplicates(t, dup)
	}
	r := t.Insert(values, external, writer, at)
	return Answer{Status: 201, ID: r.ID, Created: true, Changed: t.Held(r), Body: Success(r.ID, true)}
}

// Update changes a record, unless its values forbid it.
func (s *Salesforce) Update(t *Table, r *Row, values map[string]string, writer string, at int64) Answer {
	if a := validate(t, values); !a.OK() {
		return a
	}
	changed := t.Update(r, values, writer, at)
	return Answer{Status: 200, ID: r.ID, Changed: changed, Body: Success(r.ID, false)}
}

// Check is what the org says to values, without storing them.
func (s *Salesforce) Check(t *Table, values map[string]string) Answer { return validate(t, values) }

// Put stores values as they are, by the record's external id: what the org
// makes of a write is nobody's to refuse.
func (s *Salesforce) Put(t *Table, external string, values map[string]string, writer string, at int64) Answer {
	r := t.GetExternal(external)
	changed := t.Update(r, values, writer, at)
	return Answer{Status: 200, ID: r.ID, Changed: changed, Body: Success(r.ID, false)}
}

// Delete removes a record by its external id.
func (s *Salesforce) Delete(object, external, writer string, at int64) Answer {
	t := s.Tables[object]
	r := t.GetExternal(external)
	if r == nil {
		return Refuse(404, "NOT_FOUND", "The requested resource does not exist")
	}
	t.Delete(r, writer, at)
	return Answer{Status: 204, ID: r.ID}
}

func validate(t *Table, values map[string]string) Answer {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if t.Field(name) == nil {
			return Refuse(400, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+t.Name, name)
		}
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		v, ok := values[f.Name]
		if !ok || v == "" {
			continue
		}
		switch {
		case f.Options != nil && !slices.Contains(f.Options, v):
			return Refuse(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
				fmt.Sprintf("%s: bad value for restricted picklist field: %s", f.Name, v), f.Name)
		case f.Max > 0 && len([]rune(v)) > f.Max:
			return Refuse(400, "STRING_TOO_LONG",
				fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.Name, v, f.Max), f.Name)
		case f.Number && !number(v):
			return Refuse(400, "JSON_PARSER_ERROR", fmt.Sprintf("Cannot deserialize instance of double from VALUE_STRING value %s", v), f.Name)
		}
	}
	return Answer{Status: 200}
}

func number(v string) bool {
	_, err := strconv.ParseFloat(v, 64)
	return err == nil
}

// duplicate is the record that the org's matching rule takes for the same:
// the same e-mail, unless another HubSpot record owns it already.
func duplicate(t *Table, values map[string]string) *Row {
	if t.Name != "Contact" {
		return nil
	}
	for _, r := range t.Rows {
		if !r.Deleted && r.External == "" && values["Email"] != "" && r.Values["Email"] == values["Email"] {
			return r
		}
	}
	return nil
}

// Success is the body of a write that was taken.
func Success(id string, created bool) string {
	return `{"id":"` + id + `","success":true,"errors":[],"created":` + strconv.FormatBool(created) + `}`
}

// Refuse is an error in the REST API's shape: an array of one.
func Refuse(status int, code, message string, fields ...string) Answer {
	body := map[string]any{"message": message, "errorCode": code}
	if len(fields) > 0 {
		body["fields"] = fields
	}
	return Answer{Status: status, Code: code, Message: message, Fields: fields, Body: text([]any{body})}
}

func duplicates(t *Table, r *Row) Answer {
	rule := "Standard_" + t.Name + "_Duplicate_Rule"
	a := Refuse(400, "DUPLICATES_DETECTED", "Use one of these records?")
	a.Body = text([]any{map[string]any{
		"message": a.Message, "errorCode": a.Code,
		"duplicateResult": map[string]any{
			"allowSave": true, "duplicateRule": rule, "duplicateRuleEntityType": t.Name,
			"matchResults": []any{map[string]any{
				"rule": "Standard_" + t.Name + "_Match_Rule_v1_1", "size": 1, "success": true,
				"matchRecords": []any{map[string]any{
					"matchConfidence": 100.0,
					"record":          map[string]any{"attributes": map[string]any{"type": t.Name}, "Id": r.ID},
				}},
			}},
		},
	}})
	return a
}

// Collection is the answer as one element of a collections call, which says
// 200 as a whole and keeps each record's error inside.
func (a Answer) Collection() Answer {
	if a.OK() {
		return a
	}
	fields := a.Fields
	if fields == nil {
		fields = []string{}
	}
	a.Status = 200
	a.Body = text(map[string]any{
		"success": false, "errors": []any{map[string]any{"statusCode": a.Code, "message": a.Message, "fields": fields}},
	})
	return a
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // maps and strings: cannot fail
		panic(err)
	}
	return string(b)
}
