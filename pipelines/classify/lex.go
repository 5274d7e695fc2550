package classify

import "strings"

// Bounds of one scan: more words than this say nothing more, and an answer of
// a megabyte must not cost more than one of a kilobyte.
const (
	maxWords  = 600
	maxHits   = 192
	maxCodes  = 24
	longWord  = 64
	maxLexLen = 16 << 10
)

// scan is what a text was found to say.
type scan struct {
	present [maxConcepts / 64]uint64
	hits    [maxHits]hit
	nhits   int
	words   [maxWords]uint16
	quotes  [maxWords]bool // the word stands in quotes
	quoted  int            // where the quotes that are open end
	here    int            // where the word being read begins
	dotted  bool           // it is part of a name such as crm.contacts
	nwords  int
	at      int // position of the next word, with gaps
	start   int // where the unread words begin
	codes   [maxCodes]string
	ncodes  int
	lexed   int  // bytes read
	steps   int  // of reading and matching: bounded whatever comes, see TestHugeBodies
	status  int  // HTTP status the text names
	raws    int  // raw words read
	told    bool // some word says more than a status' own name does
	cue     int  // when a word last announced a status ("HTTP", "code")
	number  int  // a number that may be one
}

type hit struct {
	concept uint16
	at      uint16
	phrase  uint16 // which of the lexicon's, for the evidence
	quoted  bool   // it stands in quotes: a value, not what the sentence is about
}

func (s *scan) reset() {
	clear(s.present[:])
	clear(s.codes[:s.ncodes])
	s.nhits, s.nwords, s.at, s.start, s.ncodes, s.lexed, s.status = 0, 0, 0, 0, 0, 0, 0
	s.raws, s.told, s.cue, s.number, s.steps = 0, false, 0, 0, 0
}

func (s *scan) has(id uint16) bool { return s.present[id>>6]&(1<<(id&63)) != 0 }

func (s *scan) mark(id uint16, at int, phrase uint16, quoted bool) {
	s.present[id>>6] |= 1 << (id & 63)
	if s.nhits < maxHits {
		s.hits[s.nhits] = hit{concept: id, at: uint16(at), phrase: phrase, quoted: quoted}
		s.nhits++
	}
}

// read takes a text apart into words, finds phrases in them and collects what
// looks like a code. JSON escapes, mark-up, addresses and e-mails are skipped:
// a link to the OAuth guide says nothing about OAuth.
func (l *lexicon) read(s *scan, text string) {
	if left := maxLexLen - s.lexed; len(text) > left {
		text = text[:max(left, 0)]
	}
	s.lexed += len(text)
	s.quoted = 0
	for i := 0; i < len(text); {
		c := text[i]
		s.steps++
		switch {
		case alnum[c]:
			i = l.readWord(s, text, i)
		case (c == '"' || c == '\'' || c == '`') && i >= s.quoted:
			s.quoted = quoteEnd(text, i)
			i++
		case c == '\\':
			if i+1 < len(text) && text[i+1] == '"' && i >= s.quoted {
				s.quoted = quoteEnd(text, i+1)
			}
			i += 2
			if i <= len(text) && text[i-1] == 'u' {
				i += 4
			}
		case c == '<':
			i = skipTag(text, i)
		case c == '&':
			i = skipEntity(text, i)
		case c == '%' && i+2 < len(text) && alnum[text[i+1]] && alnum[text[i+2]]:
			i += 3
		case c == ';' || c == '\n' || c == '!' || c == '?' || c == '.' && (i+1 == len(text) || text[i+1] == ' '):
			l.gap(s, sentenceGap)
			i++
		default:
			i++
		}
	}
	l.gap(s, partGap)
}

// longQuote is how far a quotation reaches that may be a name or a value.
const longQuote = 48

// quoteEnd is where the quotes that open at i close again, or i where they do
// not: an apostrophe.
func quoteEnd(text string, i int) int {
	rest := text[i+1 : min(len(text), i+1+longQuote)]
	if n := strings.IndexByte(rest, text[i]); n >= 0 {
		return i + 1 + n
	}
	return i
}

// gap closes a run of words: no phrase reaches over it.
func (l *lexicon) gap(s *scan, n int) {
	l.flush(s)
	s.at = min(s.at+n, 1<<15)
}

// readWord reads one raw word and what clings to it.
func (l *lexicon) readWord(s *scan, text string, i int) int {
	start := i
	s.here = i
	s.dotted = i > 1 && isDot(text[i-1]) && alnum[text[i-2]]
	for i < len(text) {
		switch c := text[i]; {
		case alnum[c] || c == '_':
			i++
		case c == '\'' && i+1 < len(text) && alnum[text[i+1]]:
			i++
		case c == 0xe2 && i+3 < len(text) && text[i+1] == 0x80 && text[i+2] == 0x99 && alnum[text[i+3]]:
			i += 3
		case c == ':' && i+2 < len(text) && text[i+1] == '/' && text[i+2] == '/':
			return skipUntilSpace(text, i)
		case c == '@' && i+1 < len(text) && alnum[text[i+1]]:
			return skipUntilSpace(text, i)
		default:
			s.dotted = s.dotted || isDot(c) && i+1 < len(text) && alnum[text[i+1]]
			l.word3(s, text[start:i])
			return i
		}
	}
	l.word3(s, text[start:i])
	return i
}

func isDot(c byte) bool { return c == '.' || c == ':' }

// word3 takes a raw word as a code, as a whole and in its parts.
func (l *lexicon) word3(s *scan, raw string) {
	if len(raw) > longWord {
		l.push(s, 0)
		return
	}
	if s.ncodes < maxCodes && codeLike(raw) {
		s.codes[s.ncodes] = raw
		s.ncodes++
	}
	s.spot(raw)
	var buf [longWord]byte
	whole := buf[:0]
	mixed := false
	for i := range len(raw) {
		c := raw[i]
		if !alnum[c] {
			mixed = mixed || c == '_'
			continue
		}
		if upper[c] {
			mixed = mixed || i > 0
			c += 32
		}
		whole = append(whole, c)
	}
	if id := l.word(whole); id != 0 || !mixed {
		l.push(s, id)
		return
	}
	l.parts(s, raw)
}

// spot finds "status code 401", "HTTP/1.1 503" and "403 Forbidden", but not
// "port 443" or "at most 500 characters".
func (s *scan) spot(raw string) {
	s.raws++
	if !s.told && bareStatus(raw) == 0 && !isCue(raw, reasonWords[:]) {
		s.told = true
	}
	if s.status != 0 {
		return
	}
	n := bareStatus(raw)
	switch {
	case n >= 400 && n != 443:
		s.number = n
		if s.cue > 0 && s.raws-s.cue <= 3 {
			s.status = n
		}
	case isCue(raw, statusCues[:]):
		s.cue = s.raws
	case s.number != 0 && isCue(raw, statusNames[:]):
		s.status = s.number
	default:
		s.number = 0
	}
}

var (
	statusCues  = [...]string{"http", "status", "statuscode", "code", "response", "returned", "responded"}
	statusNames = [...]string{
		"client", "server", "bad", "unauthorized", "forbidden", "not", "conflict", "gone", "unprocessable",
		"too", "internal", "service", "gateway", "error",
	}
)

// reasonWords are what an HTTP library says when the server said nothing.
var reasonWords = [...]string{
	"http", "https", "status", "statuscode", "code", "error", "client", "server", "unauthorized", "forbidden", "for",
	"url", "request", "failed", "with", "response", "returned", "exception", "1", "2", "httperror", "axioserror",
}

func isCue(raw string, words []string) bool {
	for _, w := range words {
		if foldEqual(raw, w) {
			return true
		}
	}
	return false
}

// parts splits SOME_CODE, someCode and HTTPError into their words.
func (l *lexicon) parts(s *scan, raw string) {
	var buf [longWord]byte
	part := buf[:0]
	for i := range len(raw) {
		c := raw[i]
		if c == '_' || upper[c] && i > 0 && (!upper[raw[i-1]] || i+1 < len(raw) && alnum[raw[i+1]] && !upper[raw[i+1]] && raw[i+1] > '9') {
			if len(part) > 0 {
				l.push(s, l.word(part))
			}
			part = buf[:0]
		}
		if upper[c] {
			c += 32
		}
		if alnum[c] {
			part = append(part, c)
		}
	}
	if len(part) > 0 {
		l.push(s, l.word(part))
	}
}

func (l *lexicon) push(s *scan, id uint16) {
	if s.nwords-s.start < maxWords && s.nwords < maxWords {
		s.words[s.nwords], s.quotes[s.nwords] = id, s.here < s.quoted || s.dotted
		s.nwords++
	}
}

// flush looks for phrases in the unread words.
func (l *lexicon) flush(s *scan) {
	run := s.words[s.start:s.nwords]
	for i, w := range run {
		if w == 0 {
			continue
		}
		node := uint16(0)
		for _, x := range run[i:] {
			s.steps++
			to, ok := l.next[uint32(node)<<16|uint32(x)]
			if !ok {
				break
			}
			node = to
			for j := range l.ends[node] {
				s.mark(l.ends[node][j].concept, s.at+i, l.ends[node][j].text, s.quotes[s.start+i])
			}
		}
	}
	s.at += len(run)
	s.start = s.nwords
}

// codeLike tells codes from words: SOME_CODE, AADSTS50034, 0x80040237,
// rateLimitExceeded.
func codeLike(raw string) bool {
	if len(raw) < 5 {
		return false
	}
	digits, inner := 0, false
	for i := range len(raw) {
		c := raw[i]
		if c == '_' || upper[c] && i > 0 && !upper[raw[i-1]] {
			inner = true
		}
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return inner || digits > 2 && digits < len(raw) || allUpper(raw)
}

func allUpper(raw string) bool {
	for i := range len(raw) {
		if !upper[raw[i]] {
			return false
		}
	}
	return true
}
