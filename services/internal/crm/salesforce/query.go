package salesforce

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

const (
	page  = 2000
	maxIn = 400 // ids in one condition: the address stays under 16 kB
)

// query runs SOQL and follows its pages. The cursor is a snapshot of the
// result, so that records that change meanwhile move nothing.
func (r *Reader) query(ctx context.Context, resource, soql string, yield func([]row) error) error {
	var first found
	err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: data + "/" + resource, Query: url.Values{"q": {soql}}, Header: pages}, &first)
	if err != nil {
		return err
	}
	return r.follow(ctx, &first, yield)
}

// found is a page of a query's answer.
type found struct {
	Done    bool   `json:"done"`
	Next    string `json:"nextRecordsUrl"`
	Records []row  `json:"records"`
}

var pages = http.Header{"Sforce-Query-Options": {"batchSize=" + strconv.Itoa(page)}}

// follow yields a page and those behind it.
func (r *Reader) follow(ctx context.Context, p *found, yield func([]row) error) error {
	for {
		if err := yield(p.Records); err != nil || p.Done || p.Next == "" {
			return err
		}
		path := p.Next
		if !strings.HasPrefix(path, "/services/data/") {
			return &crm.Error{Kind: crm.KindOutage, System: "Salesforce", Message: "the next page leads elsewhere"}
		}
		p = &found{}
		if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: path, Header: pages}, p); err != nil {
			return err
		}
	}
}

// expired reports whether a cursor was forgotten: the org keeps ten a user.
func expired(err error) bool {
	var e *crm.Error
	return errors.As(err, &e) && e.Code == "INVALID_QUERY_LOCATOR"
}

// selects begins a query of the fields asked for that the object has.
func (r *Reader) selects(ctx context.Context, q crm.Query, more ...string) (string, error) {
	names := append(append([]string{}, system...), more...)
	if q.Object == "Lead" {
		known, err := r.known(ctx, q.Object)
		if err != nil {
			return "", err
		}
		if known[converted[0]] != "" {
			names = append(names, converted...)
		}
	}
	names = append(names, q.Fields...)
	return "SELECT " + strings.Join(unique(names), ", ") + " FROM " + q.Object, nil
}

// unique drops repeats, which SOQL refuses, whatever their case.
func unique(names []string) []string {
	seen := map[string]bool{}
	out := names[:0]
	for _, n := range names {
		if k := strings.ToLower(n); !seen[k] {
			seen[k] = true
			out = append(out, n)
		}
	}
	return out
}

func (r *Reader) known(ctx context.Context, object string) (map[string]string, error) {
	r.mu.Lock()
	known := r.fields[object]
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if _, err := r.Describe(ctx, object); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fields[object], nil
}

// All implements crm.Reader. Records out of scope are left out. Many records
// are read in bulk, which costs fewer calls and time to wait for.
func (r *Reader) All(ctx context.Context, q crm.Query, yield func(crm.Page) error) error {
	sel, err := r.selects(ctx, q)
	if err != nil {
		return err
	}
	bulk, err := r.inBulk(ctx, q)
	if err != nil {
		return err
	}
	if bulk {
		err := r.allInBulk(ctx, q, sel+where(q.Scope), yield)
		if !errors.Is(err, errNotInBulk) {
			return err
		}
		q.After = ""
	}
	after := q.After
	for {
		err := r.query(ctx, "query", sel+where(q.Scope, above(after))+" ORDER BY Id", func(rows []row) error {
			p := crm.Page{Records: convert(rows, q)}
			if len(rows) > 0 {
				after = rows[len(rows)-1].text("Id")
				p.Next = after
			}
			return yield(p)
		})
		if !expired(err) {
			return err
		}
	}
}

func above(id string) string {
	if id == "" {
		return ""
	}
	return "Id > " + quote(id)
}

func where(conditions ...string) string {
	var held []string
	for _, c := range conditions {
		if c != "" {
			held = append(held, "("+c+")")
		}
	}
	if len(held) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(held, " AND ")
}

// Latest implements crm.Reader.
func (r *Reader) Latest(ctx context.Context, q crm.Query, n int) ([]crm.Record, error) {
	sel, err := r.selects(ctx, q)
	if err != nil {
		return nil, err
	}
	return r.collect(ctx, q, sel+where(q.Scope)+" ORDER BY LastModifiedDate DESC LIMIT "+strconv.Itoa(n))
}

func (r *Reader) collect(ctx context.Context, q crm.Query, soql string) ([]crm.Record, error) {
	var out []crm.Record
	err := r.query(ctx, "query", soql, func(rows []row) error {
		out = append(out, convert(rows, q)...)
		return nil
	})
	return out, err
}

// Get implements crm.Reader.
func (r *Reader) Get(ctx context.Context, q crm.Query, ids []string) ([]crm.Record, error) {
	return r.Find(ctx, q, "Id", ids)
}

// Find implements crm.Reader.
func (r *Reader) Find(ctx context.Context, q crm.Query, field string, values []string) ([]crm.Record, error) {
	sel, err := r.selects(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []crm.Record
	for len(values) > 0 {
		part := values[:fits(values)]
		values = values[len(part):]
		got, err := r.collect(ctx, q, sel+" WHERE "+field+in(part))
		if err != nil {
			return nil, err
		}
		if err := r.scope(ctx, q, got); err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

// maxCondition bounds the values of one condition in bytes.
const maxCondition = 8000

func fits(values []string) int {
	size := 0
	for i, v := range values {
		if size += len(v) + 3; i > 0 && (size > maxCondition || i >= maxIn) {
			return i
		}
	}
	return len(values)
}

func in(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return " IN (" + strings.Join(quoted, ",") + ")"
}

// scope marks the records that the condition does not cover.
func (r *Reader) scope(ctx context.Context, q crm.Query, records []crm.Record) error {
	if q.Scope == "" || len(records) == 0 {
		return nil
	}
	covered := map[string]bool{}
	for from := 0; from < len(records); from += maxIn {
		part := records[from:min(from+maxIn, len(records))]
		ids := make([]string, len(part))
		for i := range part {
			ids[i] = part[i].ID
		}
		soql := "SELECT Id FROM " + q.Object + where(q.Scope, "Id"+in(ids))
		if err := r.query(ctx, "query", soql, func(rows []row) error {
			for _, x := range rows {
				covered[x.text("Id")] = true
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for i := range records {
		records[i].OutOfScope = !covered[records[i].ID]
	}
	return nil
}

// Count implements crm.Reader.
func (r *Reader) Count(ctx context.Context, q crm.Query) (int64, error) {
	var answer struct {
		Total int64 `json:"totalSize"`
	}
	err := r.call.Do(ctx, crm.Call{
		Method: http.MethodGet, Path: data + "/query", Query: url.Values{"q": {"SELECT COUNT() FROM " + q.Object + where(q.Scope)}},
	}, &answer)
	return answer.Total, err
}

func convert(rows []row, q crm.Query) []crm.Record {
	out := make([]crm.Record, len(rows))
	for i := range rows {
		out[i] = rows[i].convert(q)
	}
	return out
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(s) + "'"
}

func stamp(t event.Time) string { return max(t, 1).Std().UTC().Format(time.RFC3339) }
