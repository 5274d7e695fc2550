package classify

import "strings"

// Bounds of one walk. A body cut off at ingest is read as far as it goes.
const (
	maxDepth = 48
	maxTexts = 64
	maxPath  = 128
)

// walker reads JSON without building it: one pass, no allocation, no failure.
// What it cannot parse it stops at; strings keep their escapes, which the lexer
// knows.
type walker struct {
	w      *weigher
	s      string
	i      int
	path   [maxPath]byte // keys joined with '.', lower case, arrays left out
	plen   int
	texts  int
	unread [maxTexts]string // texts to read if no code decides
	status int              // HTTP status named in the body
}

// decided ends the walk: nothing that follows is asked any more. The message is
// waited for, because failures are told apart by it.
func (j *walker) decided() bool { return j.w.confidence >= Decisive && j.w.first != "" }

// value reads one value; false means the text ended or made no sense.
func (j *walker) value(depth int, key string, erring bool) bool {
	j.space()
	if j.i >= len(j.s) || depth > maxDepth {
		return false
	}
	switch j.s[j.i] {
	case '{':
		return j.object(depth, erring)
	case '[':
		return j.array(depth, key, erring)
	case '"':
		raw, ok := j.str()
		j.leaf(key, raw, erring)
		return ok
	}
	start := j.i
	for j.i < len(j.s) && strings.IndexByte(",]} \t\r\n", j.s[j.i]) < 0 {
		j.i++
	}
	if c := j.s[start]; c >= '0' && c <= '9' || c == '-' {
		j.number(key, j.s[start:j.i], erring)
	}
	return j.i > start
}

func (j *walker) object(depth int, erring bool) bool {
	j.i++
	for {
		j.space()
		j.w.s.steps++
		if j.i >= len(j.s) || j.decided() {
			return false
		}
		switch j.s[j.i] {
		case '}':
			j.i++
			return true
		case ',':
			j.i++
			continue
		case '"':
		default:
			return false
		}
		key, ok := j.str()
		j.space()
		if !ok || j.i >= len(j.s) || j.s[j.i] != ':' {
			return false
		}
		j.i++
		mark := j.push(key)
		about := meaning(key)
		ok = j.value(depth+1, key, (erring || about&keyErrs != 0) && about&keyIgnored == 0)
		j.plen = mark
		if !ok {
			return false
		}
	}
}

func (j *walker) array(depth int, key string, erring bool) bool {
	j.i++
	for {
		j.space()
		j.w.s.steps++
		if j.i >= len(j.s) || j.decided() {
			return false
		}
		switch j.s[j.i] {
		case ']':
			j.i++
			return true
		case ',':
			j.i++
			continue
		}
		if !j.value(depth+1, key, erring) {
			return false
		}
	}
}

// str reads a string and returns it with its escapes.
func (j *walker) str() (string, bool) {
	start := j.i + 1
	for i := start; i < len(j.s); {
		n := strings.IndexAny(j.s[i:], `"\`)
		if n < 0 {
			break
		}
		i += n
		if j.s[i] == '"' {
			j.i = i + 1
			return j.s[start:i], true
		}
		i += 2
	}
	j.i = len(j.s)
	return j.s[min(start, len(j.s)):], false
}

func (j *walker) push(key string) int {
	mark := j.plen
	if mark > 0 && j.plen < maxPath {
		j.path[j.plen] = '.'
		j.plen++
	}
	for i := 0; i < len(key) && j.plen < maxPath; i++ {
		c := key[i]
		if upper[c] {
			c += 32
		}
		j.path[j.plen] = c
		j.plen++
	}
	return mark
}

func (j *walker) space() {
	for j.i < len(j.s) && (j.s[j.i] == ' ' || j.s[j.i] == '\n' || j.s[j.i] == '\t' || j.s[j.i] == '\r') {
		j.i++
	}
}
