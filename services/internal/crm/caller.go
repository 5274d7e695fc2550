package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/services/internal/guard"
	"plumbline.dev/services/internal/pace"
)

const (
	callTimeout = 60 * time.Second
	maxAnswer   = 32 << 20 // 2000 records of 15 KB
	// streamTimeout bounds an answer that is stored while it comes.
	streamTimeout = 10 * time.Minute
	maxTries      = 4
	maxWait       = 90 * time.Second // a longer one is the caller's affair
	firstWait     = 500 * time.Millisecond
)

// Caller makes the calls of one account: within its budget, patient with what
// passes, and never with more than it must.
type Caller struct {
	System string
	Base   *url.URL
	Client *http.Client
	Budget *Budget
	Clock  pace.Clock
	// Authorize puts the credential on a request. Fresh asks for a new one,
	// because the last was refused.
	Authorize func(ctx context.Context, r *http.Request, fresh bool) error
	// Renews says that Authorize can get a new credential.
	Renews bool
	// Headers reads what the account says about its limits.
	Headers func(http.Header)
	// Refusal reads an error body.
	Refusal func(status int, h http.Header, body []byte) *Error
}

// Call is one request.
type Call struct {
	Method, Path string
	Query        url.Values
	Header       http.Header
	Body         any // as JSON
	Raw          func(http.Header, []byte) error
	// Stream reads an answer that may be large while it comes. It is called
	// again, from the beginning, when the answer broke off.
	Stream func(http.Header, io.Reader) error
}

// Do makes a call and decodes the answer into out, unless it is nil.
func (c *Caller) Do(ctx context.Context, call Call, out any) error {
	var body []byte
	if call.Body != nil {
		var err error
		if body, err = json.Marshal(call.Body); err != nil {
			return fmt.Errorf("encode call of %s: %w", call.Path, err)
		}
	}
	fresh := false
	for try := 1; ; try++ {
		err := c.once(ctx, call, body, fresh, out)
		if err == nil {
			return nil
		}
		var e *Error
		if !errors.As(err, &e) || ctx.Err() != nil {
			return err
		}
		if c.Renews && e.Kind == KindAuth && !fresh && e.Status == http.StatusUnauthorized {
			fresh = true // once: a session may have ended
			continue
		}
		wait := c.wait(e, try)
		if wait < 0 || try >= maxTries {
			return err
		}
		if err := c.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// wait is how long until the next try, negative when there is none.
func (c *Caller) wait(e *Error, try int) time.Duration {
	switch e.Kind {
	case KindOutage, KindNetwork, KindLimit:
	default:
		return -1
	}
	wait := firstWait << (try - 1)
	wait += rand.N(wait) //nolint:gosec // jitter keeps callers apart; nobody gains by guessing it
	if e.After > wait {
		wait = e.After
	}
	if e.Kind == KindLimit {
		c.Budget.Pause(min(wait, maxWait))
	}
	if wait > maxWait || e.Spent {
		return -1
	}
	return wait
}

func (c *Caller) once(ctx context.Context, call Call, body []byte, fresh bool, out any) error {
	if err := c.Budget.Take(ctx); err != nil {
		return err
	}
	limit := callTimeout
	if call.Stream != nil {
		limit = streamTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := c.request(ctx, call, body)
	if err != nil {
		return err
	}
	if err := c.Authorize(ctx, req, fresh); err != nil {
		return err
	}
	res, err := c.Client.Do(req)
	if err != nil {
		return &Error{Kind: networkKind(err), System: c.System, Message: WithoutURL(err), Err: err}
	}
	defer res.Body.Close()
	if call.Stream != nil && res.StatusCode < 300 {
		if c.Headers != nil {
			c.Headers(res.Header)
		}
		return call.Stream(res.Header, res.Body)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return &Error{Kind: KindNetwork, System: c.System, Message: "the answer broke off", Err: err}
	}
	if c.Headers != nil {
		c.Headers(res.Header)
	}
	return c.answer(call, res, answer, out)
}

func (c *Caller) request(ctx context.Context, call Call, body []byte) (*http.Request, error) {
	u := c.Base.String() + call.Path
	if len(call.Query) > 0 {
		u += "?" + call.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, u, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", call.Path, err)
	}
	maps.Copy(req.Header, call.Header)
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	req.Header.Set("User-Agent", "plumbline (read-only)")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func (c *Caller) answer(call Call, res *http.Response, body []byte, out any) error {
	switch {
	case len(body) > maxAnswer:
		return &Error{Kind: KindRefused, System: c.System, Status: res.StatusCode, Message: "the answer is larger than 32 MiB"}
	case res.StatusCode >= 300:
		e := c.Refusal(res.StatusCode, res.Header, body)
		e.System, e.Status = c.System, res.StatusCode
		e.After = max(e.After, RetryAfter(res.Header, c.Clock.Now()))
		return e
	case call.Raw != nil:
		return call.Raw(res.Header, body)
	case out == nil:
		return nil
	}
	return c.Decode(res.StatusCode, body, out)
}

// Decode reads an answer, or a part of one that has its own status.
func (c *Caller) Decode(status int, body []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return &Error{Kind: KindOutage, System: c.System, Status: status, Message: "the answer is not the JSON it should be", Err: err}
	}
	return nil
}

// RetryAfter reads the header in both its forms.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return time.Duration(min(n, 1<<20)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}

func networkKind(err error) Kind {
	if errors.Is(err, guard.ErrPrivate) {
		return KindRefused
	}
	return KindNetwork
}

// WithoutURL leaves the address out of an error: it may hold values.
func WithoutURL(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err.Error()
	}
	return err.Error()
}

// ByStatus is what a status says by itself.
func ByStatus(status int) Kind {
	switch {
	case status == http.StatusUnauthorized:
		return KindAuth
	case status == http.StatusForbidden:
		return KindScope
	case status == http.StatusNotFound, status == http.StatusGone:
		return KindGone
	case status == http.StatusTooManyRequests:
		return KindLimit
	case status == 423, status == 477, status >= 500, status == http.StatusRequestTimeout:
		return KindOutage
	}
	return KindRefused
}

// NoRedirect keeps a credential from following an answer elsewhere.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Cut shortens a vendor's text for an error of ours.
func Cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "..."
	}
	return s
}
