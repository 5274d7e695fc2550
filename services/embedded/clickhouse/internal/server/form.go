package server

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
	"plumbline.dev/services/embedded/clickhouse/internal/sqltext"
)

// form reads a multipart request: fields are arguments, files are temporary tables for this query.
func (x *execution) form() (string, error) {
	_, params, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil {
		return "", fail(codeBadArguments, "Content-Type: "+err.Error())
	}
	body, err := decode(x.body, x.r.Header.Get("Content-Encoding"), false)
	if err != nil {
		return "", err
	}
	sql := x.q.query
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return sql, nil
		}
		if err != nil {
			return "", fail(codeCannotRead, "Cannot read the form: "+err.Error())
		}
		if x.isTable(part) {
			err = x.table(part.FormName(), part)
		} else {
			err = x.field(part, &sql)
		}
		if err != nil {
			return "", err
		}
	}
}

func (x *execution) isTable(part *multipart.Part) bool {
	name := part.FormName()
	return part.FileName() != "" || x.q.args.Has(name+"_structure") || x.q.args.Has(name+"_types")
}

func (x *execution) field(part *multipart.Part, sql *string) error {
	value, err := readText(part)
	if err != nil {
		return err
	}
	if name := part.FormName(); name == "query" {
		*sql = first(*sql, value)
	} else if param, ok := strings.CutPrefix(name, "param_"); ok {
		x.q.params = append(x.q.params, chdb.Param{Name: param, Value: value})
	}
	return nil
}

// table loads one external table.
func (x *execution) table(name string, data io.Reader) error {
	structure := x.q.args.Get(name + "_structure")
	if types := x.q.args.Get(name + "_types"); structure == "" && types != "" {
		structure = "_1 " + types
	}
	if structure == "" {
		return fail(codeBadArguments, "The external table "+name+" needs "+name+"_structure")
	}
	create := "CREATE TEMPORARY TABLE " + sqltext.QuoteName(name) + " (" + structure + ") ENGINE = Memory"
	if _, _, err := x.conn.Query(create, "Null"); err != nil {
		return err
	}
	ins, err := x.conn.Insert("INSERT INTO "+sqltext.QuoteName(name), first(x.q.args.Get(name+"_format"), "TabSeparated"), nil)
	if err != nil {
		return err
	}
	defer ins.Close()
	if err := feed(ins, data); err != nil && !errors.Is(err, chdb.ErrInsertFailed) {
		ins.Cancel()
		return err
	}
	_, err = ins.Finish()
	return err
}

// restrict sets readonly once the tables are there.
func (x *execution) restrict() error {
	if x.q.readonly == "" || x.q.session != "" {
		return nil
	}
	return set(x.conn, []chdb.Param{{Name: "readonly", Value: x.q.readonly}})
}
