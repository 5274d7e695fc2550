package server

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
)

// request is what the URL and the headers ask for.
type request struct {
	id, database, format, query string

	params   []chdb.Param
	settings []chdb.Param // of this query only
	comment  string       // the client's own log_comment
	readonly string       // "" or the readonly setting to run under

	compress, decompress, httpCompression, waitEnd bool
	bufferSize                                     int
	revision                                       uint64

	session        string
	sessionTimeout time.Duration
	sessionCheck   bool
	sessionClose   bool

	args       url.Values // for external tables: name_format, name_structure
	formTables bool       // a form: its tables are made before readonly holds
}

// notSettings are URL arguments with a meaning of their own; any other one is a setting.
var notSettings = []string{
	"query", "database", "default_format", "query_id", "user", "password", "quota_key", "role",
	"compress", "decompress", "enable_http_compression", "wait_end_of_query", "buffer_size", "stacktrace",
	"session_id", "session_timeout", "session_check", "close_session", "client_protocol_version",
	"log_comment", "readonly", "send_progress_in_http_headers", "cancel_http_readonly_queries_on_client_close",
	// An insert is acknowledged when it is a part; an asynchronous one would not be.
	"async_insert", "wait_for_async_insert",
}

func parseRequest(r *http.Request, args url.Values, readOnly bool) (*request, error) {
	q := &request{
		id:              args.Get("query_id"),
		database:        first(args.Get("database"), r.Header.Get("X-ClickHouse-Database")),
		format:          first(args.Get("default_format"), r.Header.Get("X-ClickHouse-Format")),
		query:           args.Get("query"),
		comment:         args.Get("log_comment"),
		compress:        flag(args, "compress"),
		decompress:      flag(args, "decompress"),
		httpCompression: flag(args, "enable_http_compression"),
		waitEnd:         flag(args, "wait_end_of_query"),
		session:         args.Get("session_id"),
		sessionCheck:    flag(args, "session_check"),
		sessionClose:    flag(args, "close_session"),
		sessionTimeout:  time.Minute,
		bufferSize:      1 << 20,
		args:            args,
	}
	if q.id == "" {
		q.id = newQueryID()
	}
	if err := q.numbers(args); err != nil {
		return nil, err
	}
	q.readonly = readonlyLevel(args.Get("readonly"), readOnly || r.Method == http.MethodGet)
	form := isForm(r)
	q.formTables = form
	for name, values := range args {
		value := values[len(values)-1]
		if param, ok := strings.CutPrefix(name, "param_"); ok {
			q.params = append(q.params, chdb.Param{Name: param, Value: value})
		} else if !slices.Contains(notSettings, name) && (!form || !externalArg(name)) {
			q.settings = append(q.settings, chdb.Param{Name: name, Value: value})
		}
	}
	slices.SortFunc(q.settings, func(a, b chdb.Param) int { return strings.Compare(a.Name, b.Name) })
	return q, nil
}

func (q *request) numbers(args url.Values) error {
	if v := args.Get("client_protocol_version"); v != "" {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return fail(codeBadArguments, "client_protocol_version is not a number")
		}
		q.revision = n
	}
	if v := args.Get("session_timeout"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > 3600 {
			return fail(codeBadArguments, "session_timeout is not a number of seconds up to 3600")
		}
		q.sessionTimeout = time.Duration(n) * time.Second
	}
	if v, err := strconv.Atoi(args.Get("buffer_size")); err == nil && v > q.bufferSize {
		q.bufferSize = min(v, 64<<20)
	}
	return nil
}

// readonlyLevel keeps a GET from writing: a link on a page must not be able to.
func readonlyLevel(asked string, must bool) string {
	switch {
	case asked == "1":
		return "1"
	case asked == "2" || must:
		return "2"
	}
	return ""
}

// externalArg describes a table that comes as a part of a form: name_format, name_structure, name_types.
func externalArg(name string) bool {
	return strings.HasSuffix(name, "_structure") || strings.HasSuffix(name, "_types") || strings.HasSuffix(name, "_format")
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/form-data")
}

// marker is the log_comment that ties the engine's query to the client's id: the library takes no query id.
func (q *request) marker() string { return "query_id=" + q.id + "\n" + q.comment }

func flag(args url.Values, name string) bool {
	v := args.Get(name)
	return v != "" && v != "0" && !strings.EqualFold(v, "false")
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func newQueryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
