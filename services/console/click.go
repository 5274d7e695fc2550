package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/console/login"
)

// deed is one thing that can be clicked.
type deed struct {
	role    login.Role
	subject string // the question that finds what it is about
	by      string // its parameter
	until   bool   // it needs an end
	reason  bool   // it needs a reason
}

// deeds are the clicks of the console; each is looked up first, so that nobody
// clicks on what they may not see.
var deeds = map[string]deed{
	event.ClickAcknowledge: {login.Operator, "incident", "incident_id", false, false},
	event.ClickSilence:     {login.Operator, "incident", "incident_id", true, false},
	event.ClickUnsilence:   {login.Operator, "incident", "incident_id", false, false},
	event.ClickMitigate:    {login.Operator, "incident", "incident_id", false, false},
	event.ClickResolve:     {login.Operator, "incident", "incident_id", false, true},
	event.ClickWaive:       {login.Operator, "incident", "incident_id", false, true},
	event.ClickTick:        {login.Operator, "incident", "incident_id", false, false},
	event.ClickRecheck:     {login.Operator, "incident", "incident_id", false, false},
	event.ClickAccept:      {login.Operator, "divergences", "divergence_id", true, true},
	event.ClickReopen:      {login.Operator, "divergences", "divergence_id", false, false},
	event.ClickReset:       {login.Admin, "agents", "agent", false, false},
}

// sayings are what a person reads after a click.
var sayings = map[string]string{
	"taken":   "Noted. It shows here as soon as it went through the log, mostly within seconds.",
	"replay":  "Taken in again. What it holds shows within seconds.",
	"checked": "The affected records are being looked at again.",
}

// spans are how long something may be silenced or accepted for.
var spans = map[string]time.Duration{
	"1h": time.Hour, "4h": 4 * time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": month, "90d": 3 * month,
}

const maxWords = 500

var (
	errNoName  = errors.New("write your name: what is decided here is kept with it")
	errNoWords = errors.New("write why: whoever looks at this later has to know")
	errRole    = errors.New("your role does not allow this: ask an operator or admin")
)

// click takes a form, makes an event of it and goes back to the page.
func (s *Server) click(w http.ResponseWriter, r *http.Request) {
	who := person(r)
	kind := r.PostFormValue("kind")
	d, ok := deeds[kind]
	if !ok {
		http.Error(w, "there is no such click", http.StatusBadRequest)
		return
	}
	if !who.May(d.role) {
		http.Error(w, errRole.Error(), http.StatusForbidden)
		return
	}
	if s.o.Door == nil {
		http.Error(w, "no sender is configured: add one under senders, its token lets clicks through to ingest", http.StatusConflict)
		return
	}
	element, err := s.element(r, who, kind, d)
	if err != nil {
		s.clickRefused(w, err)
		return
	}
	if err := s.o.Door.Click(r.Context(), element); err != nil {
		s.o.Logger.Warn("click was not taken", zap.String("kind", kind), zap.Error(err))
		http.Error(w, "ingest did not take it: "+err.Error(), http.StatusBadGateway)
		return
	}
	said := "taken"
	if kind == event.ClickRecheck {
		said = "checked"
	}
	s.back(w, r, said)
}

func (s *Server) clickRefused(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errNotThere):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, errNoName), errors.Is(err, errNoWords):
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		s.notThere(w, err)
	}
}

// element is the event of a click. What it is about is taken from what is
// stored, not from the form.
func (s *Server) element(r *http.Request, who login.Person, kind string, d deed) (map[string]any, error) {
	by := who.Name
	if who.Free {
		by = shorten(r.PostFormValue("by"), 80)
	}
	reason := shorten(r.PostFormValue("reason"), maxWords)
	switch {
	case by == "":
		return nil, errNoName
	case d.reason && reason == "":
		return nil, errNoWords
	}
	subject := r.PostFormValue("subject")
	about, err := s.about(r.Context(), who, d, subject)
	if err != nil {
		return nil, err
	}
	now := s.o.Now().UTC()
	e := map[string]any{"kind": kind, "by": by, "at": now.Format(time.RFC3339Nano)}
	for _, name := range []string{"subject", "tenant", "integration", "object", "record_key"} {
		if about[name] != "" {
			e[name] = about[name]
		}
	}
	if reason != "" {
		e["reason"] = reason
	}
	if kind == event.ClickWaive {
		e["object"], e["record_key"] = r.PostFormValue("object"), r.PostFormValue("record_key")
	}
	if kind == event.ClickTick {
		e["step"], e["result"] = shorten(r.PostFormValue("step"), 80), shorten(r.PostFormValue("result"), 20)
	}
	if d.until {
		span, ok := spans[r.PostFormValue("for")]
		if !ok {
			return nil, fmt.Errorf("%w: choose for how long", errNoWords)
		}
		e["until"] = now.Add(span).Format(time.RFC3339Nano)
	}
	return e, nil
}

// about looks up what is clicked, within what the person may see.
func (s *Server) about(ctx context.Context, who login.Person, d deed, subject string) (map[string]string, error) {
	if subject == "" {
		return nil, errNotThere
	}
	v := visit{s: s, person: who, now: s.o.Now().UTC()}
	a, err := v.ask(ctx, d.subject, 1, map[string]string{d.by: subject})
	if err != nil {
		return nil, err
	}
	if len(a.Rows) == 0 {
		return nil, errNotThere
	}
	out := map[string]string{"subject": subject}
	names := []string{"tenant", "integration", "object"}
	switch d.subject {
	case "agents": // an agent is one of the tenant, not of an integration, and named as on agent-states
		names = []string{"tenant"}
		out["subject"] = fmt.Sprint(a.Value(0, "tenant"), "/", a.Value(0, "kind"), "/", a.Value(0, "agent"))
	case "divergences":
		names = append(names, "record_key")
	}
	for _, name := range names {
		out[name], _ = a.Value(0, name).(string)
	}
	return out, nil
}

// back goes to the page that was clicked on, and to no other place.
func (s *Server) back(w http.ResponseWriter, r *http.Request, said string) {
	to, err := url.Parse(r.PostFormValue("back"))
	if err != nil || to.IsAbs() || to.Host != "" || !strings.HasPrefix(to.Path, "/") || strings.HasPrefix(to.Path, "//") {
		to = &url.URL{Path: "/"}
	}
	q := to.Query()
	q.Set("said", said)
	to.RawQuery, to.Fragment = q.Encode(), ""
	http.Redirect(w, r, to.RequestURI(), http.StatusSeeOther)
}

// replay takes a dead letter in again, or says what would happen.
func (s *Server) replay(w http.ResponseWriter, r *http.Request) {
	who := person(r)
	if !who.May(login.Admin) || s.o.Letters == nil {
		http.Error(w, errRole.Error(), http.StatusForbidden)
		return
	}
	id := r.PostFormValue("dead_letter_id")
	p, _ := s.find("/letter")
	f, err := s.frame(r.Context(), p, who, windows[0], url.Values{"dead_letter_id": {id}})
	if err != nil {
		s.notThere(w, err)
		return
	}
	letter, _ := f.Data.(*letterPage)
	if letter == nil {
		s.notThere(w, errNotThere)
		return
	}
	shown := *letter // what others see stays sealed
	c := *f.content
	c.Data, f.content = &shown, &c
	switch r.PostFormValue("do") {
	case "open":
		raw, err := s.o.Letters.Open(r.Context(), id)
		if err != nil {
			f.Said = capital(err.Error()) + "."
			break
		}
		shown.show(raw)
	case "dry", "replay":
		dry := r.PostFormValue("do") == "dry"
		n, refused, err := s.o.Letters.Replay(r.Context(), id, dry)
		f.Said = replayWords(n, refused, err, dry)
	}
	if err := s.pages.write(w, "page", f); err != nil {
		s.o.Logger.Warn("console page was not delivered", zap.Error(err))
	}
}

func replayWords(n int, refused []string, err error, dry bool) string {
	switch {
	case err != nil:
		return capital(err.Error()) + "."
	case len(refused) > 0:
		return "Still refused: " + strings.Join(refused, "; ") + "."
	case dry:
		return "Dry run: " + plural(uint64(max(n, 0)), "event") + " would be taken in. Nothing was written."
	}
	return plural(uint64(max(n, 0)), "event") + " taken in again. It shows within seconds."
}
