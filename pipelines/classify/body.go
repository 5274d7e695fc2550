package classify

import "strings"

// body reads the answer's body: JSON by its structure, anything else as text.
func (w *weigher) body() {
	if w.confidence >= Decisive || w.in.Body == "" {
		return
	}
	if looksHTML(w.in.Body) {
		w.html = true
		w.text(w.in.Body)
		return
	}
	trimmed := strings.TrimLeft(w.in.Body, " \t\r\n\ufeff")
	if trimmed == "" {
		return
	}
	if trimmed[0] != '{' && trimmed[0] != '[' {
		w.first = trimmed
		w.text(trimmed) // plain text, a form or a SOAP fault
		return
	}
	j := &w.walk
	j.w, j.s, j.i, j.plen, j.texts, j.status = w, trimmed, 0, 0, 0, 0
	j.value(0, "", false)
	if j.texts == 0 && w.confidence == 0 && w.status >= 400 { // {"email":["is taken"]}: its keys are fields, not words about errors
		j.i = 0
		j.value(0, "", true)
	}
	if w.status < 400 && j.status != 0 {
		w.status = j.status
	}
	// Words cost more than codes: they are read only if no code decided.
	for i := 0; i < j.texts && w.confidence < Decisive; i++ {
		w.text(j.unread[i])
	}
}

// leaf is one string of the body, with its key and whether it stands under
// something that speaks of errors.
func (j *walker) leaf(key, raw string, erring bool) {
	about := meaning(key)
	if key == "value" && strings.HasSuffix(string(j.path[:j.plen]), "message.value") { // OData: {"message":{"lang","value"}}
		about = keySpeaks
	}
	if raw == "" || j.texts >= maxTexts || about&keyIgnored != 0 {
		return
	}
	j.pathRules(key, raw)
	if !erring && about&keySpeaks == 0 {
		return
	}
	if strings.IndexByte(raw, ' ') < 0 && len(raw) <= maxCode {
		if !j.w.known(raw) {
			j.later(raw)
		}
		return
	}
	// RFC 7807 titles ("Member Exists") are codes written as words.
	if e := j.w.p.codes.find(raw, j.w.status, j.w.in.Operation); e != nil {
		j.w.offer(e.rule, e.rule.Confidence, e.evidence)
		return
	}
	if j.w.first == "" {
		j.w.first = raw
	}
	j.later(raw)
}

func (j *walker) later(raw string) {
	j.unread[j.texts] = raw
	j.texts++
}

// number is a numeric leaf: an error number, or the HTTP status inside a 2xx.
func (j *walker) number(key, raw string, erring bool) {
	about := meaning(key)
	if len(raw) > 16 || !erring && about&keySpeaks == 0 || about&keyIgnored != 0 {
		return
	}
	if e := j.w.p.codes.find(raw, j.w.status, j.w.in.Operation); e != nil {
		j.w.offer(e.rule, e.rule.Confidence, e.evidence)
		return
	}
	if n := bareStatus(raw); n >= 400 && j.status == 0 {
		j.status = n
	}
}

// pathRules asks the rules that name a place in the body.
func (j *walker) pathRules(key, raw string) {
	if len(raw) > maxCode || len(j.w.p.paths)+len(j.w.c.general.paths) == 0 {
		return
	}
	var buf [maxPath + maxCode + 1]byte
	b := append(append(buf[:0], j.path[:j.plen]...), '=')
	j.pathRule(normTail(b, raw))
	b = append(buf[:0], "*."...)
	for i := range min(len(key), maxPath-8) {
		c := key[i]
		if upper[c] {
			c += 32
		}
		b = append(b, c)
	}
	j.pathRule(normTail(append(b, '='), raw))
}

func normTail(b []byte, raw string) []byte {
	var norm [maxCode]byte
	return append(b, normCode(norm[:0], raw)...)
}

func (j *walker) pathRule(key []byte) {
	for _, set := range [...]*set{j.w.p, j.w.c.general} {
		list := set.paths[string(key)]
		for i := range list {
			if list[i].rule.fits(j.w.status, j.w.in.Operation) {
				j.w.offer(list[i].rule, list[i].rule.Confidence, list[i].evidence)
				break
			}
		}
	}
}

// Keys are told by parts of their names: vendors write error, errorCode,
// err_msg, faultstring, failureReason for the same things.
var (
	erringParts  = [...]string{"err", "fault", "fail", "reason", "invalid", "detail", "exception", "violation", "problem", "extensions", "message"}
	speakingKeys = [...]string{
		"code", "message", "msg", "title", "description", "desc", "status", "category", "type", "policy", "text", "hint",
		"cause", "explanation", "info", "summary", "key", "note", "warning", "troubleshoot",
	}
	// What was asked for, where to read on, and when: never what went wrong.
	ignoredKeys = [...]string{
		"value", "input", "rejectedvalue", "link", "links", "url", "href", "uri", "help", "docs", "doc_url", "more_info",
		"moreinfo", "documentation_url", "helplink", "instance", "path", "pointer", "timestamp", "stack", "stacktrace",
		"trace", "context", "correlationid", "requestid", "request_id", "trace_id", "date", "properties", "attributes",
		"request_log_url", "error_uri", "locations", "innererror",
	}
)

// What a key's name says.
const (
	keySpeaks  = 1 << iota // its text may tell what went wrong
	keyErrs                // so may everything below it
	keyIgnored             // never
)

// meaning judges a key; the names most vendors use are judged once.
func meaning(key string) uint8 {
	if m, ok := usualKeys[key]; ok {
		return m
	}
	return judge(key)
}

var usualKeys = func() map[string]uint8 {
	m := map[string]uint8{}
	for _, k := range [...]string{
		"error", "errors", "code", "message", "status", "errorCode", "error_code", "errorMessage", "error_description",
		"description", "detail", "details", "title", "type", "reason", "reasons", "category", "correlationId", "context",
		"fields", "success", "data", "result", "results", "id", "body", "statusCode", "httpStatusCode", "requestId",
		"extensions", "domain", "field", "name", "value", "property", "email", "key", "subCategory", "policyName", "",
	} {
		m[k] = judge(k)
	}
	return m
}()

func judge(key string) uint8 {
	for _, k := range ignoredKeys {
		if foldEqual(key, k) {
			return keyIgnored
		}
	}
	switch {
	case keyHas(key, erringParts[:]):
		return keySpeaks | keyErrs
	case keyHas(key, speakingKeys[:]):
		return keySpeaks
	}
	return 0
}

func keyHas(key string, parts []string) bool {
	if len(key) > 40 {
		return false
	}
	for _, p := range parts {
		if foldHas(key, p) {
			return true
		}
	}
	return false
}
