package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
	"plumbline.dev/services/embedded/clickhouse/internal/native"
	"plumbline.dev/services/embedded/clickhouse/internal/sqltext"
)

// execution is one request.
type execution struct {
	s     *Server
	ctx   context.Context // ends when the query is killed
	kill  context.CancelCauseFunc
	q     *request
	r     *http.Request
	out   *output
	body  *timedBody
	entry *running

	conn  *chdb.Conn // from enter on
	leave func()
}

func (x *execution) run() (chdb.Stats, error) {
	text, err := x.text()
	if err != nil {
		return chdb.Stats{}, err
	}
	// What follows the query on its own line is data, as in ClickHouse.
	src := bufio.NewReaderSize(text, headSize)
	head, err := src.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return chdb.Stats{}, err
	}
	st := sqltext.Parse(head)
	if err := x.allowed(st); err != nil {
		x.drain(src)
		return chdb.Stats{}, err
	}
	if err := x.enter(x.slotsFor(st, head)); err != nil {
		x.drain(src)
		return chdb.Stats{}, err
	}
	if st.Kind == sqltext.Insert && (st.Format != "Values" || len(x.q.params) == 0) {
		return x.insert(st, src)
	}
	sql, err := readText(src)
	if err != nil {
		return chdb.Stats{}, err
	}
	if st.Kind == sqltext.Other && len(sql) > headSize {
		st = sqltext.Parse([]byte(sql)) // the format may be named after the part first looked at
	}
	x.s.registry.describe(x.entry, sql)
	if st.Kind == sqltext.Kill {
		return x.killQueries(st)
	}
	return x.read(sqltext.ReplaceProcesses(sql, x.s.registry.processes()), st)
}

func (x *execution) allowed(st sqltext.Statement) error {
	if st.Outfile {
		return fail(codeOutfile, "INTO OUTFILE and FROM INFILE are not allowed over HTTP. (INTO_OUTFILE_NOT_ALLOWED)")
	}
	if st.Kind == sqltext.Insert && x.q.readonly != "" {
		return errReadOnly
	}
	return nil
}

// slotsFor keeps a few places for KILL QUERY and looks at system.processes.
func (x *execution) slotsFor(st sqltext.Statement, head []byte) chan struct{} {
	if st.Kind == sqltext.Kill {
		return x.s.control
	}
	if text := string(head); st.Kind == sqltext.Other && sqltext.ReplaceProcesses(text, "") != text {
		return x.s.control
	}
	return x.s.slots
}

// enter waits for a place and opens the connection, once.
func (x *execution) enter(slots chan struct{}) error {
	if x.conn != nil {
		return nil
	}
	if err := acquire(x.ctx, x.r.Context(), slots); err != nil {
		return err
	}
	conn, release, err := x.s.connection(x.q)
	if err != nil {
		<-slots
		return err
	}
	x.conn, x.leave = conn, func() { release(); <-slots }
	return nil
}

// text joins the query argument and the body, or unpacks a form.
func (x *execution) text() (io.Reader, error) {
	if x.r.Method != http.MethodPost {
		return strings.NewReader(x.q.query), nil
	}
	if isForm(x.r) {
		if err := x.enter(x.s.slots); err != nil { // its tables need the connection
			return nil, err
		}
		sql, err := x.form()
		if err != nil {
			return nil, err
		}
		return strings.NewReader(sql), x.restrict()
	}
	body, err := decode(x.body, x.r.Header.Get("Content-Encoding"), x.q.decompress)
	if err != nil {
		return nil, err
	}
	if x.q.query == "" {
		return body, nil
	}
	return io.MultiReader(strings.NewReader(x.q.query+"\n"), body), nil
}

func readText(src io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(src, maxQueryText+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxQueryText {
		return "", fail(codeTooLarge, "The query text is larger than 64 MiB. (QUERY_IS_TOO_LARGE)")
	}
	return string(b), nil
}

// read runs anything but an INSERT with data.
func (x *execution) read(sql string, st sqltext.Statement) (chdb.Stats, error) {
	about := x.conn.Analyse(sql)
	if about.Statements > 1 {
		return chdb.Stats{}, fail(codeSyntax, "Syntax error (Multi-statements are not allowed). (SYNTAX_ERROR)")
	}
	// The readonly setting alone does not hold: the library applies a query's own SETTINGS, readonly=0
	// among them, before the engine checks.
	if x.q.readonly != "" && about.Statements == 1 && !about.ReadOnly {
		return chdb.Stats{}, errReadOnly
	}
	format := first(st.Format, x.q.format)
	x.s.prepareOutput(x.out, x.r, x.q, format)
	stop := x.killOnCancel()
	defer stop()
	stream, err := x.conn.Stream(sql, first(x.q.format, "TabSeparated"), x.q.params)
	if isNotStreamable(err) {
		return x.whole(sql, format)
	}
	if err != nil {
		return chdb.Stats{}, x.cause(err)
	}
	defer stream.Close()
	// Only a reading query ends with its client: a statement that writes is not left half done.
	defer context.AfterFunc(x.r.Context(), func() { x.kill(errGone) })()
	if err := x.copy(&chunks{next: stream.Next}, format); err != nil {
		return chdb.Stats{}, x.cause(err)
	}
	return stream.Stats(), nil
}

// whole runs a statement that the library does not stream: DDL, SHOW, INSERT SELECT.
func (x *execution) whole(sql, format string) (chdb.Stats, error) {
	b, stats, err := x.conn.Query(sql, first(x.q.format, "TabSeparated"), x.q.params...)
	if err != nil {
		return stats, x.cause(err)
	}
	return stats, x.copy(bytes.NewReader(b), format)
}

// copy sends the result, in the client's revision when the format has one.
func (x *execution) copy(src io.Reader, format string) error {
	if x.q.revision > 0 && strings.EqualFold(format, "Native") {
		return native.Copy(x.out, src, x.q.revision)
	}
	_, err := io.Copy(x.out, src)
	return err
}

// killOnCancel stops the engine's query when the request is killed. The library cannot interrupt a
// call, so it is done from another connection, again and again because the query may not have begun.
func (x *execution) killOnCancel() (stop func()) {
	over := make(chan struct{})
	go func() {
		select {
		case <-over:
			return
		case <-x.ctx.Done():
		}
		for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
			x.s.engine.kill(x.q.marker())
			select {
			case <-over:
				return
			case <-time.After(wait):
			}
		}
	}()
	return func() { close(over) }
}

// cause prefers the reason for a kill over what it looked like from inside.
func (x *execution) cause(err error) error {
	if why := context.Cause(x.ctx); why != nil && err != nil {
		return why
	}
	return err
}

func isNotStreamable(err error) bool {
	e, ok := errors.AsType[*chdb.Error](err)
	return ok && e.Code == codeBadArguments && strings.HasPrefix(e.Message, notStreamable)
}

// chunks reads a stream's pieces.
type chunks struct {
	next func() ([]byte, error)
	rest []byte
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		b, err := c.next()
		if err != nil {
			return 0, err
		}
		if len(b) == 0 {
			return 0, io.EOF
		}
		c.rest = b
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// WriteTo spares the copy into a buffer.
func (c *chunks) WriteTo(w io.Writer) (total int64, err error) {
	for {
		b, err := c.next()
		if err != nil || len(b) == 0 {
			return total, err
		}
		n, err := w.Write(b)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// prepareOutput sets the headers of a result and stacks the compressors.
func (s *Server) prepareOutput(o *output, r *http.Request, q *request, format string) {
	h := o.w.Header()
	h.Set("X-ClickHouse-Format", formatName(format))
	h.Set("Content-Type", contentType(formatName(format)))
	if q.httpCompression {
		if enc := acceptedEncoding(r.Header.Get("Accept-Encoding")); enc != "" {
			h.Set("Content-Encoding", enc)
			o.enc = contentEncoder(o.top, enc)
			o.top = o.enc
		}
	}
	if q.compress {
		o.blocks = newBlockWriter(o.top, q.args.Get("network_compression_method"))
		o.top = o.blocks
	}
}
