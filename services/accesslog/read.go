package accesslog

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Line is one element of /v1/access.
type Line struct {
	ID        string `json:"id,omitempty"`
	System    string `json:"system"`
	Account   string `json:"account,omitempty"`
	Token     string `json:"token"`
	At        string `json:"at"`
	Operation string `json:"operation"`
	Object    string `json:"object,omitempty"`
	Rows      int64  `json:"rows,omitempty"`
	Calls     int64  `json:"calls,omitempty"`
	Network   string `json:"network,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Failed    bool   `json:"failed,omitempty"`
}

// Formats are the logs that can be read.
var Formats = []string{"sf-event-log", "sf-login-history", "csv"}

// row gives a record's columns by name.
type row map[string]string

// Read hands over the lines of a log. A record that cannot be read is told to
// bad with its line number, and the others go on.
func Read(format string, in io.Reader, line func(Line) error, bad func(n int, err error)) error {
	decode, ok := map[string]func(row) (Line, bool, error){
		"sf-event-log": eventLog, "sf-login-history": loginHistory, "csv": plain,
	}[format]
	if !ok {
		return fmt.Errorf("there is no format %q; the formats are %s", format, strings.Join(Formats, ", "))
	}
	buffered := bufio.NewReader(in)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // just seen
	}
	r := csv.NewReader(buffered)
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("the first line has to name the columns: %w", err)
	}
	for n := 2; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if _, ok := errors.AsType[*csv.ParseError](err); ok {
			bad(n, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("read line %d: %w", n, err)
		}
		columns := row{}
		for i, name := range head {
			if i < len(record) {
				columns[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(record[i])
			}
		}
		l, counts, err := decode(columns)
		switch {
		case err != nil:
			bad(n, err)
		case counts:
			if err := line(l); err != nil {
				return err
			}
		}
	}
}

// first is the first of the columns that holds something.
func (r row) first(names ...string) string {
	for _, n := range names {
		if v := r[n]; v != "" {
			return v
		}
	}
	return ""
}

func (r row) number(names ...string) int64 {
	n, err := strconv.ParseInt(r.first(names...), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (l Line) whole() error {
	for name, v := range map[string]string{"at": l.At, "token": l.Token, "operation": l.Operation, "system": l.System} {
		if v == "" {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

// plain is a CSV whose columns are named as the members of /v1/access.
func plain(r row) (Line, bool, error) {
	l := Line{
		ID: r["id"], System: r["system"], Account: r["account"], Token: r["token"], At: r["at"], Operation: r["operation"],
		Object: r["object"], Rows: r.number("rows"), Calls: r.number("calls"), Network: r["network"], UserAgent: r["user_agent"],
		Failed: r["failed"] == "true" || r["failed"] == "1",
	}
	return l, true, l.whole()
}
