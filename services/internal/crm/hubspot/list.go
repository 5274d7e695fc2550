package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumbline.dev/services/internal/crm"
)

const (
	listPage  = 100
	batchMax  = 100
	maxURL    = 6000 // more properties than fit are read by batches
	memberTTL = 15 * time.Minute
)

// All implements crm.Reader: the list endpoint pages by id, over the store
// itself and not the search index.
func (r *Reader) All(ctx context.Context, q crm.Query, yield func(crm.Page) error) error {
	wide := len(joined(q)) > maxURL
	after := q.After
	for {
		v := url.Values{"limit": {"100"}, "archived": {"false"}}
		if after != "" {
			v.Set("after", after)
		}
		if !wide {
			v.Set("properties", joined(q))
		}
		var page struct {
			Results []record `json:"results"`
			Paging  paging   `json:"paging"`
		}
		if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: objects(q), Query: v}, &page); err != nil {
			return err
		}
		out := crm.Page{Next: page.Paging.Next.After}
		if err := r.fill(ctx, q, page.Results, wide, &out); err != nil {
			return err
		}
		if err := yield(out); err != nil || out.Next == "" {
			return err
		}
		after = out.Next
	}
}

func (r *Reader) fill(ctx context.Context, q crm.Query, results []record, wide bool, out *crm.Page) (err error) {
	if wide {
		ids := make([]string, len(results))
		for i := range results {
			ids[i] = results[i].ID
		}
		out.Records, err = r.Get(ctx, q, ids)
		return err
	}
	for i := range results {
		out.Records = append(out.Records, results[i].convert(q))
	}
	return r.scope(ctx, q, out.Records)
}

// Get implements crm.Reader. The answer to a batch is 207 where some records
// are not there; they are listed among its errors, and simply missing here.
func (r *Reader) Get(ctx context.Context, q crm.Query, ids []string) ([]crm.Record, error) {
	type input struct {
		ID string `json:"id"`
	}
	var out []crm.Record
	for len(ids) > 0 {
		part := ids[:min(batchMax, len(ids))]
		ids = ids[len(part):]
		inputs := make([]input, len(part))
		for i, id := range part {
			inputs[i] = input{id}
		}
		var page struct {
			Results []record `json:"results"`
			Errors  []struct {
				Category string `json:"category"`
				Message  string `json:"message"`
			} `json:"errors"`
		}
		err := r.call.Do(ctx, crm.Call{
			Method: http.MethodPost, Path: objects(q) + "/batch/read",
			Body: map[string]any{"inputs": inputs, "properties": properties(q)},
		}, &page)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Errors { // what failed otherwise is not missing
			if e.Category != "OBJECT_NOT_FOUND" {
				return nil, &crm.Error{Kind: crm.KindOutage, System: "HubSpot", Code: e.Category, Message: crm.Cut(e.Message, 300)}
			}
		}
		for i := range page.Results {
			if rec := page.Results[i].convert(q); !rec.Deleted {
				out = append(out, rec)
			}
		}
	}
	return out, r.scope(ctx, q, out)
}

// members are the records of a list, as of a time.
type members struct {
	ids map[string]bool
	at  time.Time
}

func listOf(scope string) (string, bool) { return strings.CutPrefix(scope, "hs_list:") }

// scope marks records that are not in the list.
func (r *Reader) scope(ctx context.Context, q crm.Query, records []crm.Record) error {
	list, ok := listOf(q.Scope)
	switch {
	case q.Scope == "" || len(records) == 0:
		return nil
	case !ok:
		return &crm.Error{Kind: crm.KindSchema, System: "HubSpot", Message: fmt.Sprintf("scope %q is not known; expected hs_list:ID", q.Scope)}
	}
	ids, err := r.list(ctx, list)
	if err != nil {
		return err
	}
	for i := range records {
		records[i].OutOfScope = !ids[records[i].ID]
	}
	return nil
}

func (r *Reader) list(ctx context.Context, id string) (map[string]bool, error) {
	r.mu.Lock()
	m, ok := r.members[id]
	r.mu.Unlock()
	if ok && r.clock.Now().Sub(m.at) < memberTTL {
		return m.ids, nil
	}
	m = members{ids: map[string]bool{}, at: r.clock.Now()}
	after := ""
	for {
		v := url.Values{"limit": {"250"}}
		if after != "" {
			v.Set("after", after)
		}
		var page struct {
			Results []struct {
				RecordID string `json:"recordId"`
			} `json:"results"`
			Paging paging `json:"paging"`
		}
		path := "/crm/v3/lists/" + url.PathEscape(id) + "/memberships"
		if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: path, Query: v}, &page); err != nil {
			return nil, fmt.Errorf("members of list %s: %w", id, err)
		}
		for _, x := range page.Results {
			m.ids[x.RecordID] = true
		}
		if after = page.Paging.Next.After; after == "" {
			break
		}
	}
	r.mu.Lock()
	r.members[id] = m
	r.mu.Unlock()
	return m.ids, nil
}
