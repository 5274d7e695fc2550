package console

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumbline.dev/services/console/ask"
)

const (
	maxStreams  = 128
	streamEvery = 2 * time.Second
	streamLasts = 15 * time.Minute // then the browser comes again, and is asked who it is
)

// events is a page's stream: its live part whenever that is another, and a
// beat with the age of the numbers in between.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	of, err := url.Parse(r.URL.Query().Get("of"))
	if err != nil {
		http.Error(w, "of: the address of a page", http.StatusBadRequest)
		return
	}
	p, ok := s.pageAt(of.Path)
	win, known := findWindow(of.Query().Get("window"))
	if !ok || !known || !p.live || !person(r).May(roleOf(p)) {
		http.Error(w, "of: no page with a stream", http.StatusBadRequest)
		return
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default: // the page asks by itself then
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many streams", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	s.stream(w, r, p, win, of.Query())
}

func (s *Server) pageAt(path string) (page, bool) {
	if name, ok := strings.CutPrefix(path, "/rows/"); ok {
		q := ask.All[name]
		if q == nil {
			return page{}, false
		}
		return page{path: path, template: "rows", windows: q.Spans, live: true, params: paramsOf(q), load: loadRows(q)}, true
	}
	return s.find(path)
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, p page, win Window, query url.Values) {
	out := http.NewResponseController(w)
	var last [sha256.Size]byte
	tick := time.NewTicker(streamEvery)
	defer tick.Stop()
	end := time.NewTimer(streamLasts)
	defer end.Stop()
	for {
		f, err := s.frame(r.Context(), p, person(r), win, query)
		if err != nil {
			return // the page itself says why
		}
		var b bytes.Buffer
		if err := s.pages.templates.ExecuteTemplate(&b, "live", f); err != nil {
			return
		}
		// The age is told by each beat: it alone is no news.
		sum := sha256.Sum256(withoutAge(b.Bytes()))
		_ = out.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if sum != last {
			last = sum
			fmt.Fprintf(w, "event: page\ndata: %s\n\n", strings.ReplaceAll(b.String(), "\n", "\ndata: "))
		} else {
			fmt.Fprintf(w, "event: beat\ndata: %d\n\n", f.AgeMS)
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			return
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// withoutAge cuts the one attribute that changes with every second.
func withoutAge(b []byte) []byte {
	const name = `data-age="`
	i := bytes.Index(b, []byte(name))
	if i < 0 {
		return b
	}
	j := bytes.IndexByte(b[i+len(name):], '"')
	return append(append([]byte{}, b[:i]...), b[i+len(name)+j:]...)
}
