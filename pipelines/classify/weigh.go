package classify

import "plumbline.dev/schemas/event"

// weigher collects what an answer says and keeps the best rule. One Classify
// call owns it; between calls it rests in the classifier's pool.
type weigher struct {
	c      *Classifier
	p      *set
	in     *Input
	status int  // the answer's, or the one it names inside a 2xx or a message
	html   bool // a web page came

	best       *compiled
	confidence float64
	evidence   string
	expr       *expr       // the words behind best, quoted only if it wins
	header     *headerTest // likewise
	collateral *entry
	first      string // first message of the body, for the fingerprint
	found      string // the surest code that is known
	walk       walker
	s          scan
}

// reset forgets the call: also its strings, which would keep a body alive.
// Only what was used is cleared.
func (w *weigher) reset() {
	w.c, w.p, w.in, w.best, w.expr, w.header, w.collateral = nil, nil, nil, nil, nil, nil, nil
	w.status, w.confidence, w.html, w.evidence, w.first, w.found = 0, 0, false, "", "", ""
	w.walk.w, w.walk.s = nil, ""
	clear(w.walk.unread[:w.walk.texts])
	w.walk.texts = 0
	w.s.reset()
}

// weigh asks in the order code, body, message, headers, status; a decisive
// answer ends it.
func (w *weigher) weigh() {
	if w.status == 0 {
		w.status = bareStatus(w.in.Code)
	}
	w.code(w.in.Code)
	w.body()
	w.message()
	if w.confidence >= Decisive {
		return
	}
	if w.status == 0 {
		w.status = w.s.status
	}
	// Nothing is sure yet: from here on all may speak. A status that the system
	// documents (HubSpot's 423) knows better than English does.
	w.words()
	w.headers(w.p)
	w.headers(w.c.general)
	w.statuses(w.p)
	w.statuses(w.c.general)
	w.alike()
}

// offer keeps a rule if it is surer than what there is.
func (w *weigher) offer(r *compiled, confidence float64, evidence string) bool {
	if r.Collateral {
		if w.collateral == nil {
			w.collateral = &entry{rule: r, evidence: evidence}
		}
		return false
	}
	if confidence <= w.confidence {
		return false
	}
	w.best, w.confidence, w.evidence, w.expr, w.header = r, confidence, evidence, nil, nil
	return true
}

// offerCode offers the rule of a code. The code stays found where words beside
// it say more.
func (w *weigher) offerCode(e *entry, confidence float64, code string) {
	if w.offer(e.rule, confidence, e.evidence) || w.found == "" && !e.rule.Collateral {
		w.found = code
	}
}

// code takes the attempt's own code; one nobody knows is read as words.
func (w *weigher) code(code string) {
	if !w.known(code) && bareStatus(code) == 0 {
		w.text(code)
	}
}

// known looks a code up and reports whether its rule says all that its name
// says. What other systems mean by it does not.
func (w *weigher) known(code string) bool {
	if code == "" {
		return true
	}
	if e := w.c.byCode(w.p, code, w.status, w.in.Operation); e != nil {
		w.offerCode(e, e.rule.Confidence, code)
		return true
	}
	if e := w.c.shared.find(code, w.status, w.in.Operation); e != nil {
		w.offerCode(e, min(fromShared, e.rule.Confidence), code)
	}
	return false
}

// message reads the message for codes and words.
func (w *weigher) message() {
	if w.confidence >= Decisive {
		return
	}
	w.html = w.html || looksHTML(w.in.Message)
	w.text(w.in.Message)
}

// text reads words and looks up the codes among them.
func (w *weigher) text(text string) {
	if text == "" {
		return
	}
	seen := w.s.ncodes
	w.c.lex.read(&w.s, text)
	for _, code := range w.s.codes[seen:w.s.ncodes] {
		if e := w.c.byCode(w.p, code, w.status, w.in.Operation); e != nil {
			w.offerCode(e, e.rule.Confidence-fromText, code)
		} else if e := w.c.shared.find(code, w.status, w.in.Operation); e != nil {
			w.offerCode(e, min(fromShared, e.rule.Confidence-fromText), code)
		}
	}
}

// words asks the rules about language.
func (w *weigher) words() {
	if w.s.nhits == 0 || !w.s.told {
		return
	}
	class := natural(w.status)
	for _, set := range [...]*set{w.p, w.c.general} {
		for i := range set.says {
			r := set.says[i].rule
			confidence := r.Confidence
			if r.Class == class {
				confidence += agreement
			}
			if confidence <= w.confidence || !r.fits(w.status, w.in.Operation) || !w.shaped(r) {
				continue
			}
			for j := range set.says[i].exprs {
				if e := &set.says[i].exprs[j]; e.match(w.c.lex, &w.s) {
					if w.offer(r, min(confidence, 0.99), "") {
						w.expr = e
					}
					break
				}
			}
		}
	}
}

func (w *weigher) headers(s *set) {
	for i := range s.headers {
		h := &s.headers[i]
		if !h.rule.fits(w.status, w.in.Operation) || !w.shaped(h.rule) {
			continue
		}
		if t := h.match(w.in.Headers); t != nil && w.offer(h.rule, h.rule.Confidence, "") {
			w.header = t
		}
	}
}

func (w *weigher) statuses(s *set) {
	for _, r := range s.plain {
		if r.fits(w.status, w.in.Operation) && w.shaped(r) {
			w.offer(r, r.Confidence, r.evidence)
		}
	}
}

func (w *weigher) shaped(r *compiled) bool {
	switch r.When.Shape {
	case "html":
		return w.html
	case "reason":
		return !w.s.told
	}
	return true
}

// verdict decides. A rolled-back neighbour is told only where nothing else
// explains the failure.
func (w *weigher) verdict() event.Verdict {
	if w.collateral != nil && w.confidence < Decisive-fromText {
		return w.c.verdict(w.in, w.words4print(), w.collateral.rule, w.collateral.rule.Confidence, w.collateral.evidence)
	}
	if w.best == nil {
		return w.c.verdict(w.in, w.words4print(), unknown, unknown.Confidence, "no rule knows this answer")
	}
	evidence := w.evidence
	switch {
	case w.expr != nil:
		evidence = w.c.quote(w.expr, w.best, &w.s)
	case w.header != nil:
		evidence = w.header.evidence
	}
	return w.c.verdict(w.in, w.words4print(), w.best, w.confidence, evidence)
}

// words4print is the message that tells this failure from others of its rule.
func (w *weigher) words4print() string {
	if w.in.Message != "" {
		return w.in.Message
	}
	return w.first
}
