package salesforce

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"plumbline.dev/services/internal/crm"
)

// results yields what a complete job holds from a place on, and moves the
// place along.
func (r *Reader) results(ctx context.Context, q crm.Query, p *place, yield func(crm.Page) error) error {
	types, err := r.known(ctx, q.Object)
	if err != nil {
		return err
	}
	for {
		params := url.Values{"maxRecords": {strconv.Itoa(bulkPart)}}
		if p.locator != "" {
			params.Set("locator", p.locator)
		}
		next := ""
		err := r.call.Do(ctx, crm.Call{
			Method: http.MethodGet, Path: jobPath(*p) + "/results", Query: params, Header: http.Header{"Accept": {"text/csv"}},
			Stream: func(h http.Header, body io.Reader) error {
				if next = h.Get("Sforce-Locator"); next == "null" {
					next = ""
				}
				s := &part{in: csv.NewReader(body), types: types, skip: p.done, of: countOf(h)}
				return s.read(q, func(records []crm.Record) error {
					p.done += int64(len(records))
					return yield(crm.Page{Records: records, Next: p.String(), At: p.at})
				})
			},
		}, nil)
		if err != nil || next == "" {
			return err
		}
		p.locator, p.done = next, 0
	}
}

func countOf(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Sforce-NumberOfRecords"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// part is one answer with results: CSV whose first line names the fields.
type part struct {
	in    *csv.Reader
	types map[string]string
	skip  int64 // records that an answer which broke off has brought already
	of    int64 // records as the header counts them, -1 = it does not
	names []string
}

func brokeOff(err error) error {
	return &crm.Error{Kind: crm.KindNetwork, System: "Salesforce", Message: "the results broke off", Err: err}
}

func (s *part) read(q crm.Query, yield func([]crm.Record) error) (err error) {
	s.in.ReuseRecord = true
	if s.names, err = s.in.Read(); err != nil {
		if errors.Is(err, io.EOF) && s.of <= 0 {
			return nil
		}
		return brokeOff(err)
	}
	s.names = append([]string(nil), s.names...)
	var n int64
	records := make([]crm.Record, 0, page)
	flush := func() error {
		if len(records) == 0 {
			return nil
		}
		err := yield(records)
		records = make([]crm.Record, 0, page)
		return err
	}
	for {
		cells, err := s.in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if failed := flush(); failed != nil {
				return failed
			}
			return brokeOff(err)
		}
		if n++; n <= s.skip {
			continue
		}
		x := s.row(cells)
		if records = append(records, x.convert(q)); len(records) < page {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if s.of >= 0 && n < s.of {
		return brokeOff(io.ErrUnexpectedEOF)
	}
	return nil
}

// row gives a line the kinds of value that REST would: an empty cell is null.
func (s *part) row(cells []string) row {
	x := make(row, len(cells))
	for i, c := range cells {
		name := s.names[i]
		switch kind := s.types[name]; {
		case c == "":
		case kind == "boolean", numeric[kind] && json.Valid([]byte(c)):
			x[name] = json.RawMessage(c)
		default:
			b, err := json.Marshal(c)
			if err != nil {
				continue // text always marshals
			}
			x[name] = b
		}
	}
	return x
}

var numeric = map[string]bool{"double": true, "currency": true, "percent": true, "int": true, "long": true}
