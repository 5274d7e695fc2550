package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"plumbline.dev/services/internal/crm"
)

// together is how many queries a composite call takes; it counts as one call
// (Composite resource, REST API Developer Guide).
const together = 5

// Together implements crm.Reader.
func (r *Reader) Together() int { return together }

// Modified implements crm.Reader: deleted records are among the answers. The
// first pages of several queries come in one call.
func (r *Reader) Modified(ctx context.Context, qs []crm.Query, yield crm.Yield) []error {
	list, errs := make([]modified, len(qs)), make([]error, len(qs))
	for i, q := range qs {
		list[i].Query = q
		list[i].selects, errs[i] = r.selects(ctx, q, "IsDeleted")
	}
	if err := r.firsts(ctx, list, errs); err != nil {
		for i := range errs {
			errs[i] = errors.Join(errs[i], err)
		}
		return errs
	}
	for i := range list {
		if errs[i] == nil {
			errs[i] = r.modified(ctx, &list[i], func(records []crm.Record) error { return yield(i, records) })
		}
	}
	return errs
}

// modified is a query, and its first page where it came with others.
type modified struct {
	crm.Query
	selects string
	first   *found
}

func (m *modified) soql() string {
	return m.selects + " WHERE SystemModstamp >= " + stamp(m.Since) + " ORDER BY SystemModstamp, Id"
}

// modified yields a query's records, from its first page on if it came.
func (r *Reader) modified(ctx context.Context, m *modified, yield func([]crm.Record) error) error {
	each := func(rows []row) error {
		records := convert(rows, m.Query)
		if len(records) == 0 {
			return nil
		}
		if err := r.scope(ctx, m.Query, records); err != nil {
			return err
		}
		m.Since = records[len(records)-1].StampedAt
		return yield(records)
	}
	if m.first != nil {
		if err := r.follow(ctx, m.first, each); !expired(err) {
			return err
		}
	}
	for {
		if err := r.query(ctx, "queryAll", m.soql(), each); !expired(err) {
			return err
		}
	}
}

// firsts asks for the first pages in one call, and notes what single queries
// were refused. Its own error is one that asking alone would meet too.
func (r *Reader) firsts(ctx context.Context, list []modified, errs []error) error {
	type part struct {
		Method string `json:"method"`
		URL    string `json:"url"`
		Ref    string `json:"referenceId"`
	}
	var in struct {
		Parts []part `json:"compositeRequest"`
	}
	for i := range list {
		if errs[i] == nil {
			in.Parts = append(in.Parts, part{http.MethodGet, data + "/queryAll?" + url.Values{"q": {list[i].soql()}}.Encode(), ref(i)})
		}
	}
	if len(in.Parts) < 2 || len(in.Parts) > together {
		return nil
	}
	var out struct {
		Parts []struct {
			Body   json.RawMessage `json:"body"`
			Status int             `json:"httpStatusCode"`
			Ref    string          `json:"referenceId"`
		} `json:"compositeResponse"`
	}
	if err := r.call.Do(ctx, crm.Call{Method: http.MethodPost, Path: data + "/composite", Body: in}, &out); err != nil {
		if crm.Passes(err) || crm.KindOf(err) == crm.KindAuth || ctx.Err() != nil {
			return err
		}
		return nil // an org that refuses the call may well answer its parts
	}
	for i := range list {
		for _, p := range out.Parts {
			if p.Ref == ref(i) && errs[i] == nil {
				list[i].first, errs[i] = r.part(p.Status, p.Body)
			}
		}
	}
	return nil
}

func ref(i int) string { return "q" + strconv.Itoa(i) }

// part reads what a composite call answers to one of its queries.
func (r *Reader) part(status int, body []byte) (*found, error) {
	if status >= http.StatusMultipleChoices {
		e := refusal(status, nil, body)
		e.System, e.Status = r.call.System, status
		return nil, e
	}
	var p found
	if err := r.call.Decode(status, body, &p); err != nil {
		return nil, err
	}
	return &p, nil
}
