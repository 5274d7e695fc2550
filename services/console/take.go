package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/acklink"
)

// takePage is what a signed link of a message opens.
type takePage struct {
	Link, By          string // of the form; By is known where somebody is logged in
	Summary, Step     string
	Said, Wrong, More string
	Open              bool // it can still be taken
}

// takeTimeout is how long the page waits for what is known of the alert: it
// opens without it too, as nobody may be kept from taking a page.
const takeTimeout = 3 * time.Second

const takeSQL = `SELECT argMax(status, seq) AS status, toUnixTimestamp64Milli(argMax(since, seq)) AS since, argMax(summary, seq) AS summary,
	argMax(first_step, seq) AS first_step, argMax(acknowledged_by, seq) AS acknowledged_by
FROM alerts WHERE alert_id = ? AND tenant = ? HAVING count() > 0`

type takenRow struct {
	Status  string `ch:"status"`
	Since   int64  `ch:"since"`
	Summary string `ch:"summary"`
	Step    string `ch:"first_step"`
	By      string `ch:"acknowledged_by"`
}

// take shows what a link is about, and on a click takes the alert. Mail
// scanners open links: opening one changes nothing.
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	if !s.looking.Allow("take " + caller(r)) {
		w.Header().Set("Retry-After", "2")
		http.Error(w, "too many requests: slow down", http.StatusTooManyRequests)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	token := r.FormValue("link")
	claim, err := s.o.AckKey.Read(token, s.o.Now())
	p := &takePage{Link: token}
	code := http.StatusOK
	switch {
	case errors.Is(err, acklink.ErrOver):
		code, p.Wrong = http.StatusGone, capital(err.Error())+"."
	case err != nil:
		code, p.Wrong = http.StatusForbidden, capital(err.Error())+"."
	default:
		s.stands(r.Context(), &claim, p)
		if who, ok := s.o.Gate.Who(r); ok && !who.Free {
			p.By = who.Name
		}
		if r.Method == http.MethodPost && p.Open {
			code = s.taken(r, &claim, p)
		}
	}
	if err := s.pages.writeCode(w, code, "take", p); err != nil {
		s.o.Logger.Warn("console page was not delivered", zap.Error(err))
	}
}

// stands looks up how the alert stands now.
func (s *Server) stands(ctx context.Context, c *acklink.Claim, p *takePage) {
	p.Open = true
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	var rows []takenRow
	if err := s.o.Warehouse.Read(ctx, readLimits, &rows, takeSQL, c.Alert, c.Tenant); err != nil || len(rows) == 0 {
		p.More = "How it stands now cannot be looked up at the moment. It can be taken all the same."
		return
	}
	row := rows[0]
	p.Summary, p.Step = row.Summary, row.Step
	switch {
	case row.Since > c.Since:
		p.Open, p.Said = false, "What this message told of is over. It came back since: see the console."
	case row.Status == event.AlertResolved:
		p.Open, p.Said = false, "It is over: there is nothing to take."
	case row.By != "":
		p.Open, p.Said = false, "Taken by "+row.By+"."
	}
}

// taken sends the click. Sent twice, it counts once: its id and bytes are the
// same.
func (s *Server) taken(r *http.Request, c *acklink.Claim, p *takePage) int {
	by := p.By
	if by == "" {
		by = shorten(r.PostFormValue("by"), 80)
	}
	switch {
	case by == "":
		p.Wrong = capital(errNoName.Error()) + "."
		return http.StatusBadRequest
	case s.o.Door == nil:
		p.Open, p.Wrong = false, "No sender is configured, so that nothing can be clicked: plumbline alerts acknowledge "+c.Alert
		return http.StatusConflict
	case !s.acting.Allow("take " + caller(r)):
		p.Wrong = "Too many clicks: wait a moment."
		return http.StatusTooManyRequests
	}
	e := map[string]any{
		"id": c.ID(by), "kind": event.ClickAcknowledge, "subject": c.Alert, "by": by, "reason": "by the link in the message",
	}
	if c.Tenant != "" {
		e["tenant"] = c.Tenant
	}
	if c.Integration != "" {
		e["integration"] = c.Integration
	}
	if err := s.o.Door.Click(r.Context(), e); err != nil {
		s.o.Logger.Warn("click by a link was not taken", zap.Error(err))
		p.Wrong = "Ingest did not take it: " + err.Error() + ". Click again in a moment."
		return http.StatusBadGateway
	}
	p.Open, p.Said = false, "Noted: "+by+" has it. It is quiet now until it is over, and goes no further."
	return http.StatusOK
}
