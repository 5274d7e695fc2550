package hubspot

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

const (
	searchPage = 200
	// searchGap keeps searches under the account's five a second, and leaves
	// one of them to others.
	searchGap = 250 * time.Millisecond
	idField   = "hs_object_id"
)

type filter struct {
	Property string   `json:"propertyName"`
	Operator string   `json:"operator"`
	Value    string   `json:"value,omitempty"`
	Values   []string `json:"values,omitempty"`
}

type sort struct {
	Property  string `json:"propertyName"`
	Direction string `json:"direction"`
}

type groups struct {
	Filters []filter `json:"filters"`
}

type search struct {
	Groups     []groups `json:"filterGroups"`
	Sorts      []sort   `json:"sorts"`
	Properties []string `json:"properties"`
	Limit      int      `json:"limit"`
	After      string   `json:"after,omitempty"`
}

type found struct {
	Total   int64    `json:"total"`
	Results []record `json:"results"`
	Paging  paging   `json:"paging"`
}

// ask runs one search, no sooner than its turn.
func (r *Reader) ask(ctx context.Context, q crm.Query, s search) (*found, error) {
	r.mu.Lock()
	now := r.clock.Now()
	turn := now
	if r.search.After(now) {
		turn = r.search
	}
	r.search = turn.Add(searchGap)
	r.mu.Unlock()
	if wait := turn.Sub(now); wait > 0 {
		if err := r.clock.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	out := new(found)
	return out, r.call.Do(ctx, crm.Call{Method: http.MethodPost, Path: objects(q) + "/search", Body: s}, out)
}

// keyset searches in the order of one property, page after page by its last
// value: neither ten thousand results nor records that move while we read
// make a hole.
func (r *Reader) keyset(q crm.Query, by, direction string, limit int, filters ...filter) search {
	return search{
		Groups: []groups{{filters}}, Sorts: []sort{{by, direction}}, Properties: properties(q), Limit: limit,
	}
}

// Together implements crm.Reader.
func (r *Reader) Together() int { return 1 }

// Modified implements crm.Reader.
func (r *Reader) Modified(ctx context.Context, qs []crm.Query, yield crm.Yield) []error {
	return crm.OneByOne(qs, yield, func(q crm.Query, yield func([]crm.Record) error) error { return r.modified(ctx, q, yield) })
}

// modified reads pages that overlap by the last instant; what was yielded at it
// is left out.
func (r *Reader) modified(ctx context.Context, q crm.Query, yield func([]crm.Record) error) error {
	since := max(q.Since, 1)
	seen := map[string]event.Time{}
	for {
		page, err := r.ask(ctx, q, r.keyset(q, modified(q.Object), "ASCENDING", searchPage,
			filter{Property: modified(q.Object), Operator: "GTE", Value: stamp(since)}))
		if err != nil {
			return err
		}
		records, last := r.news(q, page, seen)
		if err := r.deliver(ctx, q, records, yield); err != nil {
			return err
		}
		if len(page.Results) < searchPage {
			return nil
		}
		if last > since {
			since = last
			continue
		}
		// More records of one instant than a page holds: a bulk change.
		if err := r.instant(ctx, q, since, seen, yield); err != nil {
			return err
		}
		since++
	}
}

// news leaves what was not seen with this modification, and forgets what lies
// before the page's last instant.
func (r *Reader) news(q crm.Query, page *found, seen map[string]event.Time) (records []crm.Record, last event.Time) {
	for i := range page.Results {
		rec := page.Results[i].convert(q)
		last = max(last, rec.ModifiedAt)
		if seen[rec.ID] == rec.ModifiedAt {
			continue
		}
		seen[rec.ID] = rec.ModifiedAt
		records = append(records, rec)
	}
	for id, at := range seen {
		if at < last {
			delete(seen, id)
		}
	}
	return records, last
}

// instant reads everything modified at one instant, in the order of ids.
func (r *Reader) instant(ctx context.Context, q crm.Query, at event.Time, seen map[string]event.Time, yield func([]crm.Record) error) error {
	after := "0"
	for {
		page, err := r.ask(ctx, q, r.keyset(q, idField, "ASCENDING", searchPage,
			filter{Property: modified(q.Object), Operator: "EQ", Value: stamp(at)}, filter{Property: idField, Operator: "GT", Value: after}))
		if err != nil {
			return err
		}
		if len(page.Results) == 0 {
			return nil
		}
		after = page.Results[len(page.Results)-1].ID
		records, _ := r.news(q, page, seen)
		if err := r.deliver(ctx, q, records, yield); err != nil {
			return err
		}
		if len(page.Results) < searchPage {
			return nil
		}
	}
}

func (r *Reader) deliver(ctx context.Context, q crm.Query, records []crm.Record, yield func([]crm.Record) error) error {
	if len(records) == 0 {
		return nil
	}
	if err := r.scope(ctx, q, records); err != nil {
		return err
	}
	return yield(records)
}

// Latest implements crm.Reader.
func (r *Reader) Latest(ctx context.Context, q crm.Query, n int) ([]crm.Record, error) {
	var out []crm.Record
	seen := map[string]bool{}
	s := r.keyset(q, modified(q.Object), "DESCENDING", min(searchPage, n), filter{Property: modified(q.Object), Operator: "GT", Value: "1"})
	for len(out) < n {
		page, err := r.ask(ctx, q, s)
		if err != nil {
			return nil, err
		}
		for i := range page.Results {
			if rec := page.Results[i].convert(q); !seen[rec.ID] && len(out) < n {
				seen[rec.ID] = true
				out = append(out, rec)
			}
		}
		if s.After = page.Paging.Next.After; s.After == "" || len(out) >= 9_000 { // where the search API ends
			break
		}
	}
	return out, r.scope(ctx, q, out)
}

// maxIn is how many values one search may name.
const maxIn = 100

// Find implements crm.Reader.
func (r *Reader) Find(ctx context.Context, q crm.Query, field string, values []string) ([]crm.Record, error) {
	var out []crm.Record
	for len(values) > 0 {
		part := values[:min(maxIn, len(values))]
		values = values[len(part):]
		after := "0"
		for {
			page, err := r.ask(ctx, q, r.keyset(q, idField, "ASCENDING", searchPage,
				filter{Property: field, Operator: "IN", Values: part}, filter{Property: idField, Operator: "GT", Value: after}))
			if err != nil {
				return nil, err
			}
			for i := range page.Results {
				out = append(out, page.Results[i].convert(q))
			}
			if len(page.Results) < searchPage {
				break
			}
			after = page.Results[len(page.Results)-1].ID
		}
	}
	return out, r.scope(ctx, q, out)
}

// Count implements crm.Reader. With a list as scope, it is the list's size.
func (r *Reader) Count(ctx context.Context, q crm.Query) (int64, error) {
	if list, ok := listOf(q.Scope); ok {
		m, err := r.list(ctx, list)
		return int64(len(m)), err
	}
	page, err := r.ask(ctx, q, search{Groups: []groups{}, Sorts: []sort{}, Properties: []string{}, Limit: 1})
	if err != nil {
		return 0, err
	}
	return page.Total, nil
}

func stamp(t event.Time) string { return strconv.FormatInt(int64(t), 10) }
