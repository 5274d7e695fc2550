package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/salesforce/soql"
)

// Pages of a query, and how many cursors a user may have open.
const (
	queryPage  = 2000
	minPage    = 200
	maxCursors = 10
)

// cursor is a query's result of which pages are still to be fetched.
type cursor struct {
	version string
	table   *crm.Table
	names   []string
	rows    []*crm.Row
	size    int
	whole   bool // of the table
}

func (s *Server) query(q *request) answer    { return s.run(q, false) }
func (s *Server) queryAll(q *request) answer { return s.run(q, true) }

func (s *Server) run(q *request, deleted bool) answer {
	text := q.URL.Query().Get("q")
	parsed, err := soql.Parse(text, s.o.Now())
	if err != nil {
		return problem(http.StatusBadRequest, "MALFORMED_QUERY", err.Error())
	}
	t := s.table(parsed.From)
	if t == nil {
		return problem(http.StatusBadRequest, "INVALID_TYPE",
			fmt.Sprintf("sObject type '%s' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name.", parsed.From))
	}
	names, bad := s.selected(t, parsed)
	if bad != nil {
		return *bad
	}
	rows := s.matching(t, parsed, deleted)
	if parsed.Count {
		return answer{http.StatusOK, map[string]any{"totalSize": len(rows), "done": true, "records": []any{}}}
	}
	return s.page(&cursor{q.version, t, names, rows, pageSize(q), parsed.Where == nil && parsed.Limit < 0 && parsed.Offset == 0}, 0, "")
}

// selected resolves the names of a query; an unknown one is refused.
func (s *Server) selected(t *crm.Table, q *soql.Query) ([]string, *answer) {
	for _, name := range q.Where.Names() {
		if s.column(t, name) == "" {
			a := noColumn(name, t.Name)
			return nil, &a
		}
	}
	for _, o := range q.Order {
		if s.column(t, o.Field) == "" {
			a := noColumn(o.Field, t.Name)
			return nil, &a
		}
	}
	var names []string
	for _, name := range q.Fields {
		if strings.HasPrefix(name, "FIELDS(") {
			if name == "FIELDS(ALL)" && (q.Limit < 0 || q.Limit > 200) {
				a := problem(http.StatusBadRequest, "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200")
				return nil, &a
			}
			names = append(names, s.columns(t)...)
			continue
		}
		c := s.column(t, name)
		if c == "" {
			a := noColumn(name, t.Name)
			return nil, &a
		}
		names = append(names, c)
	}
	return names, nil
}

func (s *Server) matching(t *crm.Table, q *soql.Query, deleted bool) []*crm.Row {
	get := func(r *crm.Row) func(string) string {
		return func(field string) string { return s.value(t, r, s.column(t, field)) }
	}
	var rows []*crm.Row
	for _, r := range t.Rows {
		if (deleted || !r.Deleted) && q.Where.Match(get(r)) {
			rows = append(rows, r)
		}
	}
	if len(q.Order) > 0 {
		slices.SortStableFunc(rows, func(a, b *crm.Row) int { return q.Less(get(a), get(b)) })
	}
	rows = rows[min(q.Offset, len(rows)):]
	if q.Limit >= 0 {
		rows = rows[:min(q.Limit, len(rows))]
	}
	return rows
}

// pageSize is what the client's header asks for, within Salesforce's bounds.
func pageSize(q *request) int {
	_, text, ok := strings.Cut(q.Header.Get("Sforce-Query-Options"), "batchSize=")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if !ok || err != nil {
		return queryPage
	}
	return min(max(n, minPage), queryPage)
}

// page shows the records from a place on, and where the next ones are.
func (s *Server) page(c *cursor, from int, id string) answer {
	end := min(from+c.size, len(c.rows))
	records := []any{}
	for _, r := range c.rows[from:end] {
		records = append(records, s.show(c.version, c.table, r, c.names))
	}
	out := map[string]any{"totalSize": len(c.rows), "done": end == len(c.rows), "records": records}
	if end == len(c.rows) && c.whole {
		s.o.Listed(c.table)
	}
	if end < len(c.rows) {
		if id == "" {
			id = s.keep(c)
		}
		out["nextRecordsUrl"] = fmt.Sprintf("/services/data/%s/query/%s-%d", c.version, id, end)
	}
	return answer{http.StatusOK, out}
}

// keep remembers a cursor; the oldest is forgotten, as for a real user.
func (s *Server) keep(c *cursor) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	id := fmt.Sprintf("01g5f%013d", s.serial)
	s.cursors[id] = c
	if s.recent = append(s.recent, id); len(s.recent) > maxCursors {
		delete(s.cursors, s.recent[0])
		s.recent = s.recent[1:]
	}
	return id
}

func (s *Server) more(q *request) answer {
	id, at, _ := strings.Cut(q.PathValue("cursor"), "-")
	from, err := strconv.Atoi(at)
	s.mu.Lock()
	c := s.cursors[id]
	s.mu.Unlock()
	if c == nil || err != nil || from < 0 || from > len(c.rows) {
		return problem(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator")
	}
	return s.page(c, from, id)
}
