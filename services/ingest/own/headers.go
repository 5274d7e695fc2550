package own

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

const (
	maxHeaders = 32
	maxHeader  = 512
)

// kept are the answer headers that classification and quota forecasts read.
// Everything else is dropped: headers are where credentials travel.
var kept = map[string]bool{
	"retry-after": true, "sforce-limit-info": true, "x-request-id": true, "x-correlation-id": true, "date": true,
	"server": true, "content-type": true, "www-authenticate": true, "x-api-credits-remaining": true,
}

var keptPrefixes = []string{"x-hubspot-", "x-ratelimit-", "x-daily-ratelimit-", "x-ms-ratelimit-"}

// never are the parts of names that no kept header has.
var never = []string{"signature", "token", "secret", "auth", "cookie", "key"}

// headers reads the answer's headers; values may be text or lists of text.
func headers(v jsontext.Value) ([]event.Field, error) {
	if v.Kind() == 'n' {
		return nil, nil
	}
	if v.Kind() != '{' {
		return nil, errors.New("is not an object")
	}
	m := wire.Read(v)
	defer m.Done()
	var out []event.Field
	seen := map[string]bool{}
	for m.Next() {
		name := strings.ToLower(string(m.Name()))
		if !keep(name) || seen[name] || len(out) == maxHeaders {
			continue
		}
		seen[name] = true
		text := wire.Value(m.Value()).Text
		if name == "www-authenticate" {
			text = challenge(text)
		}
		out = append(out, event.Field{Name: name, Value: event.Value{Text: cut(text, maxHeader)}})
	}
	wire.SortFields(out)
	return out, m.Err()
}

func keep(name string) bool {
	if kept[name] {
		return true
	}
	for _, part := range never {
		if strings.Contains(name, part) {
			return false
		}
	}
	for _, p := range keptPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// challenge keeps the scheme of a WWW-Authenticate header and its error, and
// nothing else that may stand there.
func challenge(v string) string {
	scheme, params, _ := strings.Cut(strings.TrimSpace(v), " ")
	var out strings.Builder
	out.WriteString(cut(scheme, 32))
	for p := range strings.SplitSeq(params, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(p), "=")
		if n := strings.ToLower(name); ok && (n == "error" || n == "error_description") {
			out.WriteString(" " + n + "=" + value)
		}
	}
	return out.String()
}
