package login

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	cookieName = "plumbline"
	lasts      = 12 * time.Hour
)

// Gate tells who a request is from.
type Gate struct {
	people []Known
	proxy  *Proxy
	key    []byte
	now    func() time.Time
}

// New makes a gate. Without people everybody may do everything: that is for
// loopback only, and Open says so.
func New(people []Known, proxy *Proxy, now func() time.Time) (*Gate, error) {
	if err := check(people, proxy); err != nil {
		return nil, err
	}
	// The key follows from the tokens: cookies outlive a restart, hold on every
	// copy of the console, and end when a token is changed.
	h := sha256.New()
	h.Write([]byte("plumbline console"))
	for _, k := range people {
		h.Write([]byte("\x00" + k.Name + "\x00" + k.Token))
	}
	return &Gate{people: people, proxy: proxy, key: h.Sum(nil), now: now}, nil
}

// Open reports whether nobody has to log in.
func (g *Gate) Open() bool { return len(g.people) == 0 && g.proxy == nil }

// Who is the person a request is from.
func (g *Gate) Who(r *http.Request) (Person, bool) {
	if g.Open() {
		return Person{Name: "", Role: Admin, Free: true}, true
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return g.ByToken(strings.TrimSpace(token))
	}
	if g.proxy != nil && g.fromProxy(r) {
		return g.byName(r.Header.Get(g.proxy.Header))
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return Person{}, false
	}
	return g.byCookie(c.Value)
}

func (g *Gate) fromProxy(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(g.proxy.From, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// ByToken looks at every token, so that the time it takes tells nothing.
func (g *Gate) ByToken(token string) (found Person, ok bool) {
	sum := sha256.Sum256([]byte(token))
	for _, k := range g.people {
		mine := sha256.Sum256([]byte(k.Token))
		if k.Token != "" && hmac.Equal(sum[:], mine[:]) {
			found, ok = k.Person, true
		}
	}
	return found, ok
}

func (g *Gate) byName(name string) (Person, bool) {
	i := slices.IndexFunc(g.people, func(k Known) bool { return k.Name == name })
	if name == "" || i < 0 {
		return Person{}, false
	}
	return g.people[i].Person, true
}

// byCookie reads until|name|proof.
func (g *Gate) byCookie(value string) (Person, bool) {
	until, rest, _ := strings.Cut(value, ".")
	proof, name, ok := strings.Cut(rest, ".")
	if !ok || !hmac.Equal([]byte(proof), []byte(g.sign("cookie", until, name))) {
		return Person{}, false
	}
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || g.now().Unix() > end {
		return Person{}, false
	}
	raw, err := hex.DecodeString(name)
	if err != nil {
		return Person{}, false
	}
	return g.byName(string(raw))
}

// Cookie stands for the token from now on. SameSite keeps it from requests
// that another page makes.
func (g *Gate) Cookie(p Person, secure bool) *http.Cookie {
	end := g.now().Add(lasts)
	until, name := strconv.FormatInt(end.Unix(), 10), hex.EncodeToString([]byte(p.Name))
	return &http.Cookie{
		Name: cookieName, Value: until + "." + g.sign("cookie", until, name) + "." + name, Path: "/", Expires: end,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	}
}

// NoCookie ends it.
func NoCookie() *http.Cookie {
	return &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func (g *Gate) sign(parts ...string) string {
	m := hmac.New(sha256.New, g.key)
	m.Write([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(m.Sum(nil))
}
