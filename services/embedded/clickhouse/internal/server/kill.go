package server

import (
	"bytes"
	"encoding/json"
	"strings"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
	"plumbline.dev/services/embedded/clickhouse/internal/sqltext"
)

// killQueries answers KILL QUERY in terms of the clients' query ids.
//
// The engine evaluates the condition over the rows clients see; the kill goes through the registry,
// which also reaches a request that still waits for a slot or for its data.
func (x *execution) killQueries(st sqltext.Statement) (chdb.Stats, error) {
	if x.q.readonly != "" {
		return chdb.Stats{}, errReadOnly
	}
	victims, err := x.victims(st.Where)
	if err != nil {
		return chdb.Stats{}, err
	}
	status := "waiting"
	switch {
	case st.Test:
		status = "unknown_status"
	case st.Sync:
		status = "finished"
	}
	rows := make([]string, 0, len(victims))
	for _, v := range victims {
		rows = append(rows, "("+sqltext.Quote(status)+","+sqltext.Quote(v[0])+","+sqltext.Quote(v[1])+","+sqltext.Quote(v[2])+")")
	}
	if !st.Test {
		if err := x.end(victims, st.Sync); err != nil {
			return chdb.Stats{}, err
		}
	}
	return x.answerKill(rows, st)
}

// victims are the id, user and text of the requests that match, this one excepted.
func (x *execution) victims(where string) ([][3]string, error) {
	sql := "SELECT query_id, user, query FROM " + x.s.registry.processes() + " WHERE query_id != " +
		sqltext.Quote(x.q.id) + " AND (" + where + ") LIMIT 1 BY query_id"
	out, _, err := x.conn.Query(sql, "JSONCompactStringsEachRow", x.q.params...)
	if err != nil {
		return nil, err
	}
	var victims [][3]string
	for line := range bytes.Lines(out) {
		var v [3]string
		if err := json.Unmarshal(line, &v); err != nil {
			return nil, err
		}
		victims = append(victims, v)
	}
	return victims, nil
}

func (x *execution) end(victims [][3]string, wait bool) error {
	var waits []<-chan struct{}
	for _, v := range victims {
		if r := x.s.registry.get(v[0]); r != nil {
			r.kill(errKilled)
			waits = append(waits, r.done)
		}
	}
	if !wait {
		return nil
	}
	for _, done := range waits {
		select {
		case <-done:
		case <-x.r.Context().Done():
			return errGone
		case <-x.ctx.Done():
			return errKilled
		}
	}
	return nil
}

func (x *execution) answerKill(rows []string, st sqltext.Statement) (chdb.Stats, error) {
	const structure = "kill_status String, query_id String, user String, query String"
	sql := "SELECT * FROM null('" + structure + "')"
	if len(rows) > 0 {
		sql = "SELECT * FROM values('" + structure + "'," + strings.Join(rows, ",") + ")"
	}
	if st.Format != "" {
		sql += " FORMAT " + st.Format
	}
	return x.read(sql, st)
}
