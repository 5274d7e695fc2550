package simulate

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/simulate/crm"
)

const (
	hookLanes  = 8 // HubSpot's default is ten requests at a time
	ownLanes   = 3
	waiting    = 256 // requests; a receiver that is slower holds virtual time back
	mergeOwn   = 500 // elements in a body, when many wait
	hookTries  = 10  // HubSpot's
	hookWait   = 5 * time.Second
	firstRetry = 200 * time.Millisecond
	lastRetry  = 20 * time.Second
)

// Stats counts what was sent and how it was taken.
type Stats struct {
	Requests, Events, Accepted, Refused, Retried, Lost uint64
}

// sender posts what the world decides, in lanes, in wall time.
type sender struct {
	o      *Options
	client *http.Client
	own_   chan post
	hooks  chan post
	ctx    context.Context //nolint:containedctx // of the run: the world that calls knows no contexts
	done   sync.WaitGroup
	count  struct{ requests, events, accepted, refused, retried, lost atomic.Uint64 }
	said   atomic.Int64
	way    way
}

// post is one request to be: webhook events, or elements of an own format.
type post struct {
	kind     string
	hook     string
	events   []crm.Event
	elements []json.RawMessage
	tickets  []*ticket // of the posts that it holds
}

func newSender(o *Options) *sender {
	s := &sender{o: o, client: o.Client, own_: make(chan post, waiting), hooks: make(chan post, waiting)}
	if s.client == nil {
		s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: hookLanes + ownLanes, ForceAttemptHTTP2: false}}
	}
	return s
}

func (s *sender) start(ctx context.Context) {
	s.ctx = ctx
	for range hookLanes {
		s.done.Go(func() { s.hookLane() })
	}
	for range ownLanes {
		s.done.Go(func() { s.ownLane() })
	}
}

// stop waits for what is still to be sent.
func (s *sender) stop() {
	close(s.own_)
	close(s.hooks)
	s.done.Wait()
	s.client.CloseIdleConnections()
}

// outbox holds what a step of the world wants sent until the world's lock is
// given back: a slow receiver must not keep others from reading the world.
type outbox struct{ posts []post }

func (b *outbox) hook(hook string, events []crm.Event) {
	b.posts = append(b.posts, post{hook: hook, events: events})
}

func (b *outbox) own(kind string, elements ...any) {
	p := post{kind: kind}
	for _, e := range elements {
		raw, err := json.Marshal(e)
		if err != nil { // our own structs: cannot fail
			panic(err)
		}
		p.elements = append(p.elements, raw)
	}
	b.posts = append(b.posts, p)
}

// put waits for a free place in the lane: that holds virtual time back.
func (s *sender) put(at int64, p post) {
	if s.o.IngestURL == "" { // only the truth is wanted
		return
	}
	p.tickets = []*ticket{s.way.enter(at)}
	lane := s.own_
	if p.kind == "" {
		lane = s.hooks
	}
	if s.o.InTurn {
		s.inTurn(p)
		return
	}
	select {
	case lane <- p:
	case <-s.ctx.Done():
	}
}

// inTurn sends before time goes on: what the receiver hears, and when, is the
// same in every run.
func (s *sender) inTurn(p post) {
	if p.kind == "" {
		s.tell(p)
	} else {
		s.deliver(p)
	}
	s.way.leave(p.tickets)
}

func (s *sender) hookLane() {
	for p := range s.hooks {
		s.tell(p)
		s.way.leave(p.tickets)
	}
}

// tell sends webhooks as HubSpot does: whatever is not a 2xx within the
// deadline comes again, later, with its number.
func (s *sender) tell(p post) {
	url := strings.TrimRight(s.o.IngestURL, "/") + "/hooks/" + p.hook
	sign := func(h http.Header, body []byte) { s.sign(h, p.hook, body) }
	wait := firstRetry
	for try := 0; ; try++ {
		body, err := json.Marshal(p.events)
		if err != nil { // as above
			panic(err)
		}
		if s.post(url, body, len(p.events), sign) {
			break
		}
		if try+1 == hookTries || !s.pause(&wait) {
			s.count.lost.Add(uint64(len(p.events)))
			break
		}
		for i := range p.events {
			p.events[i].AttemptNumber++
		}
	}
}

// sign puts HubSpot's v3 signature on a request. Its timestamp is wall time:
// that is what receivers check.
func (s *sender) sign(h http.Header, hook string, body []byte) {
	stamp := strconv.FormatInt(s.o.Clock.Now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, s.o.HookSecret)
	for _, part := range [][]byte{[]byte(http.MethodPost), []byte(s.publicURL(hook)), body, []byte(stamp)} {
		mac.Write(part)
	}
	h.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	h.Set("X-HubSpot-Request-Timestamp", stamp)
}

func (s *sender) publicURL(hook string) string {
	if hook == s.o.Hook {
		return s.o.PublicURL
	}
	return demoHooks + hook
}

// ownLane posts own formats; where many wait, several go in one body.
func (s *sender) ownLane() {
	var next *post
	for {
		p, ok := s.take(&next)
		if !ok {
			return
		}
		for next == nil && len(p.elements) < mergeOwn {
			more, ok := s.poll()
			if !ok {
				break
			}
			if more.kind == p.kind {
				p.elements, p.tickets = append(p.elements, more.elements...), append(p.tickets, more.tickets...)
			} else {
				next = &more
			}
		}
		s.deliver(p)
		s.way.leave(p.tickets)
	}
}

func (s *sender) take(next **post) (post, bool) {
	if n := *next; n != nil {
		*next = nil
		return *n, true
	}
	p, ok := <-s.own_
	return p, ok
}

func (s *sender) poll() (post, bool) {
	select {
	case p, ok := <-s.own_:
		return p, ok
	default:
		return post{}, false
	}
}

func (s *sender) deliver(p post) {
	url := strings.TrimRight(s.o.IngestURL, "/") + "/v1/" + p.kind
	body, err := json.Marshal(p.elements)
	if err != nil { // made of valid JSON
		panic(err)
	}
	wait := firstRetry
	for !s.post(url, body, len(p.elements), s.authorize) {
		if !s.pause(&wait) {
			s.count.lost.Add(uint64(len(p.elements)))
			return
		}
	}
}

func (s *sender) authorize(h http.Header, _ []byte) {
	h.Set("Authorization", "Bearer "+s.o.SenderToken)
}

// pause waits before a repeat; false means that the run is over.
func (s *sender) pause(wait *time.Duration) bool {
	s.count.retried.Add(1)
	err := s.o.Clock.Sleep(s.ctx, *wait)
	*wait = min(2**wait, lastRetry)
	return err == nil
}

// post sends once and reports whether the receiver took it.
func (s *sender) post(url string, body []byte, n int, auth func(http.Header, []byte)) bool {
	if s.ctx.Err() != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(s.ctx, hookWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "plumbline-simulate")
	auth(req.Header, body)
	s.count.requests.Add(1)
	res, err := s.client.Do(req)
	if err != nil {
		s.complain("not reached", zap.Error(err))
		return false
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return s.taken(res.StatusCode, answer, n)
}

func (s *sender) taken(status int, answer []byte, n int) bool {
	if status/100 != 2 {
		s.complain("not accepted", zap.Int("status", status), zap.ByteString("answer", answer[:min(len(answer), 300)]))
		return false
	}
	var a struct {
		DeadLetters []json.RawMessage `json:"dead_lettered"`
	}
	_ = json.Unmarshal(answer, &a) // another receiver may answer otherwise
	bad := min(len(a.DeadLetters), n)
	if bad > 0 {
		s.complain("dead-lettered", zap.ByteString("answer", answer[:min(len(answer), 300)]))
	}
	s.count.events.Add(uint64(n))
	s.count.refused.Add(uint64(bad))
	s.count.accepted.Add(uint64(n - bad))
	return true
}

// complain says at most once in ten seconds what is wrong with the receiver.
func (s *sender) complain(what string, fields ...zap.Field) {
	now, last := s.o.Clock.Now().Unix(), s.said.Load()
	if now-last >= 10 && s.said.CompareAndSwap(last, now) {
		s.o.Logger.Warn("simulated events are "+what+": they are sent again", fields...)
	}
}

func (s *sender) stats() Stats {
	c := &s.count
	return Stats{c.requests.Load(), c.events.Load(), c.accepted.Load(), c.refused.Load(), c.retried.Load(), c.lost.Load()}
}
