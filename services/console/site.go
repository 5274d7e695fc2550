package console

import (
	"context"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/console/ask"
	"plumbline.dev/services/console/login"
)

// page is one address: what it is called, what it needs, how it is read and
// which template lays it out.
type page struct {
	path     string
	nav      string   // its name in the navigation; empty: it is reached from others
	template string   // empty: sheets
	params   []string // of the address; others are dropped
	windows  bool     // it looks at a window
	live     bool     // it refreshes itself
	role     login.Role
	load     func(context.Context, *visit) (*content, error)
}

// content is what one page shows. It holds nothing of the person who looks, so
// that people with the same scope share it.
type content struct {
	Title  string
	Lead   template.HTML
	Sheets []*sheet
	Data   any
}

// frame is a page around its content.
type frame struct {
	*content
	Demo     bool
	Tab      string // title of the browser's tab
	Nav      []tab
	Windows  []tab
	Window   Window
	Person   login.Person
	Form     string // proves that a click came from here
	Here     string // the address, to come back to
	Clicks   bool   // there is a way to ingest
	Said     string // what became of the last click
	Fetch    string // the part that refreshes
	Events   string // the stream that says when
	At       time.Time
	AgeMS    int64
	Trouble  *trouble
	Template string
	Wide     bool
}

type tab struct {
	Name, Words, Href string
	Current           bool
}

var errNotThere = errors.New("there is no such thing here")

func (s *Server) pageList() []page {
	return []page{
		{path: "/", nav: "Overview", template: "overview", windows: true, live: true},
		{path: "/incidents", nav: "Incidents", windows: true, live: true, params: []string{"integration", "state", "priority", "class"}, load: loadIncidents},
		{path: "/incident", template: "incident", live: true, params: []string{"incident_id"}, load: loadIncident},
		{path: "/integration", template: "integration", windows: true, live: true, params: []string{"integration"}, load: loadIntegration},
		{path: "/records", nav: "Differences", live: true, params: []string{"integration", "object", "field", "kind"}, load: loadDifferences},
		{path: "/record", template: "record", windows: false, live: true, params: []string{"record_key"}, load: loadRecord},
		{path: "/agents", nav: "Agents", live: true, load: loadAgents},
		{path: "/agent", template: "agent", windows: true, live: true, params: []string{"agent"}, load: loadAgent},
		{path: "/tokens", nav: "Tokens", windows: true, live: true, params: []string{"system", "token"}, load: loadTokens},
		{path: "/runs", nav: "Comparisons", live: true, params: []string{"integration"}, load: loadRuns},
		{path: "/letters", nav: "Dead letters", windows: true, live: true, params: []string{"origin"}, load: loadLetters},
		{path: "/letter", template: "letter", params: []string{"dead_letter_id"}, load: loadLetter},
		{path: "/checklists", nav: "Checklists", params: []string{"integration", "every", "state"}, load: loadChecklists},
		{path: "/surface", nav: "Surface", windows: true, params: []string{"integration", "system"}, load: loadSurface},
		{path: "/setup", nav: "Set-up", template: "doors", live: true, load: loadDoors},
		{path: "/try", nav: "Try an error", template: "try", params: tryParams, load: loadTry},
	}
}

// serve answers a page, or only the part of it that refreshes.
func (s *Server) serve(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		win, ok := findWindow(r.URL.Query().Get("window"))
		if !ok {
			http.Error(w, "no such window: choose 1h, 24h, 7d or 30d", http.StatusBadRequest)
			return
		}
		f, err := s.frame(r.Context(), p, person(r), win, r.URL.Query())
		if err != nil {
			s.notThere(w, err)
			return
		}
		name := "page"
		if r.URL.Query().Has("fragment") {
			name = "live"
		}
		if err := s.pages.write(w, name, f); err != nil {
			s.o.Logger.Warn("console page was not delivered", zap.Error(err))
		}
	}
}

func (s *Server) notThere(w http.ResponseWriter, err error) {
	var p ask.Problem
	switch {
	case errors.As(err, &p):
		http.Error(w, string(p), http.StatusBadRequest)
	case errors.Is(err, errNotThere):
		http.Error(w, err.Error(), http.StatusNotFound)
	default:
		http.Error(w, "this page could not be made; the console's log says why", http.StatusInternalServerError)
		s.o.Logger.Warn("console page was not made", zap.Error(err))
	}
}

// frame reads a page's content and puts it into its frame.
func (s *Server) frame(ctx context.Context, p page, who login.Person, win Window, given url.Values) (*frame, error) {
	query := url.Values{}
	for _, name := range p.params {
		if v := given.Get(name); v != "" {
			query.Set(name, v)
		}
	}
	f := s.emptyFrame(p, who, win, query)
	f.Said = sayings[given.Get("said")]
	if p.path == "/" {
		st := s.snapshot(ctx, who, win)
		o := s.overview(win, st, s.integrations(who))
		f.content = &content{Title: o.Title, Data: o}
		f.Tab = o.Title
		f.age(st.Has, st.Err, st.At, s.o.Now().UTC())
		return f, nil
	}
	st := s.content(ctx, p, who, win, query)
	if errors.As(st.Err, new(ask.Problem)) || errors.Is(st.Err, errNotThere) {
		return nil, st.Err
	}
	f.content = st.Value
	if !st.Has {
		f.content = &content{Title: p.nav}
		f.Template = "nothing"
	}
	f.Tab = f.Title + " · Plumbline"
	f.age(st.Has, st.Err, st.At, s.o.Now().UTC())
	return f, nil
}

func (f *frame) age(has bool, err error, at, now time.Time) {
	if has {
		f.At, f.AgeMS = at, now.Sub(at).Milliseconds()
	}
	if err != nil {
		f.Trouble = newTrouble(err, has, at, now)
	}
}

func (s *Server) emptyFrame(p page, who login.Person, win Window, query url.Values) *frame {
	f := &frame{Demo: s.o.Demo, Person: who, Window: win, Template: p.template, Clicks: s.o.Door != nil, Form: s.form.Token(who)}
	if f.Template == "" {
		f.Template = "sheets"
	}
	at := func(win string, more ...string) string {
		q := url.Values{}
		maps.Copy(q, query)
		if p.windows {
			q.Set("window", win)
		}
		for _, m := range more {
			q.Set(m, "1")
		}
		if len(q) == 0 {
			return p.path
		}
		return p.path + "?" + q.Encode()
	}
	if p.windows {
		for _, x := range windows {
			f.Windows = append(f.Windows, tab{x.Name, x.Words, at(x.Name), x.Name == win.Name})
		}
	}
	for _, x := range s.list {
		if x.nav == "" || !who.May(roleOf(x)) {
			continue
		}
		href := x.path
		if x.windows && p.windows {
			href += "?window=" + win.Name
		}
		f.Nav = append(f.Nav, tab{Name: x.nav, Href: href, Current: x.path == p.path || parents[p.path] == x.path})
	}
	f.Here, f.Fetch = at(win.Name), at(win.Name, "fragment")
	if p.live {
		f.Events = "/events?" + url.Values{"of": {f.Here}}.Encode()
	}
	return f
}

// parents are the pages that detail pages are reached from.
var parents = map[string]string{
	"/incident": "/incidents", "/record": "/records", "/agent": "/agents", "/letter": "/letters", "/integration": "/",
}

func roleOf(p page) login.Role {
	if p.role == "" {
		return login.Viewer
	}
	return p.role
}

func (s *Server) find(path string) (page, bool) {
	i := slices.IndexFunc(s.list, func(p page) bool { return p.path == path })
	if i < 0 {
		return page{}, false
	}
	return s.list[i], true
}

// snapshot is the newest reading of a window, of what the person may see.
func (s *Server) snapshot(ctx context.Context, who login.Person, win Window) State[*Snapshot] {
	l := &loader{s.o.Warehouse, s.limits(who)}
	return s.boards.overviews.get(ctx, scope(who)+" "+win.Name, win.Name, func(ctx context.Context, now time.Time) (*Snapshot, error) {
		return l.load(ctx, win, now)
	})
}

func (s *Server) content(ctx context.Context, p page, who login.Person, win Window, query url.Values) State[*content] {
	v := visit{s: s, person: who, path: p.path, query: query, window: win}
	key := scope(who) + " " + p.path + " " + win.Name + " " + query.Encode()
	return s.boards.pages.get(ctx, key, p.path, func(ctx context.Context, now time.Time) (*content, error) {
		v := v // loads of one key follow each other
		v.now = now.UTC()
		return p.load(ctx, &v)
	})
}
