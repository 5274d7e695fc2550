package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

const (
	maxSecrets    = 4    // two in rotation, and two forgotten
	maxPartitions = 4096 // of a topic
	maxSpoolMiB   = 1 << 20
)

// idForm keeps ids usable in URLs, keys, metrics and file names alike.
var idForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`)

// validate checks what a type cannot: words, references, addresses.
func validate(c *config.Config, s *source) {
	s.address("listen.ingest", c.Listen.Ingest)
	s.address("listen.console", c.Listen.Console)
	s.address("listen.clickhouse", c.Listen.ClickHouse)
	s.address("listen.kafka", c.Listen.Kafka)
	s.kafka(c.Kafka)
	s.clickhouse(c.ClickHouse)
	s.hashKey(c.Privacy.HashKey)
	s.secret("notify.slack", c.Notify.Slack)
	if c.Notify.Email != "" && !strings.Contains(c.Notify.Email, "@") {
		s.add("notify.email", "is not an e-mail address")
	}
	if c.Notify.Email != "" && c.Notify.SMTP == nil && c.Notify.Alertmanager == "" {
		s.add("notify.email", "needs notify.smtp with host: and from:, or an alertmanager.yml")
	}
	if m := c.Notify.SMTP; m != nil {
		s.address("notify.smtp.host", m.Host)
		s.required("notify.smtp.from", m.From)
		s.secret("notify.smtp.password", m.Password)
	}
	s.notices(c.Notify)
	s.hooks(c.Hooks)
	s.senders(c.Senders)
	s.connections(c.Connections)
	s.statusPages(c.StatusPages)
	if c.Spool.MaxMiB < 0 || c.Spool.MaxMiB > maxSpoolMiB {
		s.add("spool.max_mib", "is %d; expected a number of MiB up to %d", c.Spool.MaxMiB, maxSpoolMiB)
	}
	s.console(c)
	s.integrations(c)
}

// notices checks the links and the digest in what people are sent.
func (s *source) notices(n config.Notify) {
	s.secret("notify.ack_key", n.AckKey)
	if n.AckFor < 0 {
		s.add("notify.ack_for", "is below zero; expected a duration, like 72h")
	}
	d := n.Digest
	if d == nil {
		return
	}
	if d.Day != "" {
		s.word("notify.digest.day", d.Day, config.Weekdays)
	}
	if d.Hour < 0 || d.Hour > 23 {
		s.add("notify.digest.hour", "is %d; expected 0 to 23", d.Hour)
	}
	if _, err := time.LoadLocation(d.Zone); err != nil {
		s.add("notify.digest.zone", "is %q; expected a zone's name, like Europe/Berlin", d.Zone)
	}
	if n.Slack == "" && n.Email == "" && n.Alertmanager == "" {
		s.add("notify.digest", "nobody is told: set notify.slack, notify.email or notify.alertmanager")
	}
}

func (s *source) address(path, v string) {
	if _, _, err := net.SplitHostPort(v); err != nil {
		s.add(path, "is %q; expected host:port, like 127.0.0.1:8081", v)
	}
}

func (s *source) kafka(k config.Kafka) {
	if !k.IsEmbedded() {
		for i, b := range k.Brokers {
			s.address(fmt.Sprintf("kafka.brokers[%d]", i), b)
		}
	}
	if k.Partitions < 1 || k.Partitions > maxPartitions {
		s.add("kafka.partitions", "is %d; expected 1 to %d", k.Partitions, maxPartitions)
	}
	if k.SASL != nil {
		s.word("kafka.sasl.mechanism", k.SASL.Mechanism, mechanisms)
		s.required("kafka.sasl.user", k.SASL.User)
		s.required("kafka.sasl.password", string(k.SASL.Password))
		s.secret("kafka.sasl.password", k.SASL.Password)
	}
}

func (s *source) clickhouse(c config.ClickHouse) {
	s.secret("clickhouse.password", c.Password)
	if c.Cluster != "" && (c.IsEmbedded() || strings.ContainsAny(c.Cluster, "`'\\ ")) {
		s.add("clickhouse.cluster", "needs a dsn of a real server, and the plain name of a cluster it knows")
	}
	if c.IsEmbedded() {
		return
	}
	u, err := url.Parse(c.DSN)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "clickhouse"}, u.Scheme) {
		s.add("clickhouse.dsn", "cannot be read; expected embedded, http://user@host:8123/plumbline or clickhouse://host:9000/plumbline")
		return
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") {
		s.add("clickhouse.dsn", "holds a password; move it to clickhouse.password as env:NAME or file:PATH")
	}
}

func (s *source) required(path, v string) {
	if v == "" {
		s.add(path, "is missing")
	}
}

func (s *source) hooks(hooks []config.Hook) {
	seen := map[string]int{}
	for i, h := range hooks {
		p := fmt.Sprintf("hooks[%d]", i)
		s.id(p, h.ID, seen)
		s.word(p+".source", h.Source, Sources)
		s.secrets(p+".secrets", h.Secrets)
		for j, a := range h.Accept {
			s.word(fmt.Sprintf("%s.accept[%d]", p, j), a, schemes)
		}
		s.publicURL(p+".public_url", h)
		s.optional(p+".system", h.System, Systems)
		for id, kind := range h.Actors {
			s.word(fmt.Sprintf("%s.actors[%s]", p, id), kind, event.ActorKinds)
		}
		if h.Mapping != nil {
			s.optional(p+".mapping.kind", h.Mapping.Kind, mapped)
		}
	}
}

func (s *source) publicURL(path string, h config.Hook) {
	if h.PublicURL == "" {
		if slices.Contains(urlSigned, h.Source) {
			s.add(path, "is missing; %s signs the address it calls, so write that address as it is seen from outside", h.Source)
		}
		return
	}
	u, err := url.Parse(h.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Fragment != "" {
		s.add(path, "cannot be read; expected https://host/path as the provider calls it")
	}
}

func (s *source) senders(senders []config.Sender) {
	seen := map[string]int{}
	for i, x := range senders {
		p := fmt.Sprintf("senders[%d]", i)
		s.id(p, x.ID, seen)
		s.secrets(p+".tokens", x.Tokens)
	}
}

func (s *source) connections(cs []config.Connection) {
	seen := map[string]int{}
	for i, c := range cs {
		p := fmt.Sprintf("connections[%d]", i)
		s.id(p, c.ID, seen)
		s.word(p+".system", c.System, Systems)
		for j, o := range c.Observe {
			s.word(fmt.Sprintf("%s.observe[%d]", p, j), o, observes)
		}
		if c.CallShare < 0 || c.CallShare > 1 {
			s.add(p+".call_share", "is %v; expected a share between 0 and 1, like 0.05", c.CallShare)
		}
		s.secret(p+".token", c.Token)
		s.secret(p+".dsn", c.DSN)
		if len(c.Tables) > 0 && c.DSN == "" {
			s.add(p+".dsn", "is missing; tables are read from a database or from files: dsn: env:NAME or file:PATH")
		}
		if c.Auth != nil {
			s.auth(p+".auth", c.Auth)
		}
		if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			s.add(p+".base_url", "is %q; expected https://host, in place of the vendor's own address", c.BaseURL)
		}
		if c.System == "salesforce" && c.DSN == "" && c.Domain == "" && c.BaseURL == "" {
			s.add(p+".domain", "is missing; expected the org's own, like acme.my.salesforce.com")
		}
		s.stream(p, &c)
	}
}

// stream checks what only connections that observe by stream have.
func (s *source) stream(p string, c *config.Connection) {
	if !slices.Contains(c.Observe, "stream") {
		return
	}
	switch {
	case c.System != "salesforce":
		s.add(p+".observe", "has stream, which only salesforce has")
	case c.Account == "":
		s.add(p+".account", "is missing; a stream needs the id of the org")
	case !strings.HasPrefix(c.Channel, "/data/"):
		s.add(p+".channel", "is %q; expected a channel of change events, like /data/ChangeEvents or /data/ContactChangeEvent", c.Channel)
	}
	if u, err := url.Parse(c.StreamURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		s.add(p+".stream_url", "is %q; expected https://host:port of the Pub/Sub API", c.StreamURL)
	}
}

func (s *source) statusPages(pages []config.StatusPage) {
	seen := map[string]int{}
	for i, x := range pages {
		p := fmt.Sprintf("status_pages[%d]", i)
		s.id(p, x.ID, seen)
		s.word(p+".system", x.System, Systems)
		if u, err := url.Parse(x.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			s.add(p+".url", "is %q; expected the page's address, like https://status.hubspot.com", x.URL)
		}
		if d := time.Duration(x.Every); d > 0 && d < leastPageEvery {
			s.add(p+".every", "is %s; pages are asked at most every %s", d, leastPageEvery)
		}
	}
}

// leastPageEvery keeps us from being taken for an attack.
const leastPageEvery = 10 * time.Second

// auth checks that a flow has what it needs.
func (s *source) auth(p string, a *config.Auth) {
	s.word(p+".flow", a.Flow, flows)
	needs := map[string]map[string]string{
		"client_credentials": {"client_secret": string(a.ClientSecret)},
		"refresh_token":      {"refresh_token": string(a.RefreshToken)},
		"jwt_bearer":         {"key": string(a.Key), "username": a.Username},
	}[a.Flow]
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if needs[name] == "" {
			s.add(p+"."+name, "is missing; the flow %s needs it", a.Flow)
		}
	}
	if needs != nil && a.ClientID == "" {
		s.add(p+".client_id", "is missing; the flow %s needs it", a.Flow)
	}
	s.secret(p+".client_id", a.ClientID)
	s.secret(p+".client_secret", a.ClientSecret)
	s.secret(p+".refresh_token", a.RefreshToken)
	s.secret(p+".key", a.Key)
	if u, err := url.Parse(a.Audience); a.Audience != "" && (err != nil || u.Host == "" || u.Scheme != "https") {
		s.add(p+".audience", "is %q; expected the login host, like https://test.salesforce.com", a.Audience)
	}
}

// id checks an id and that no earlier neighbour has it.
func (s *source) id(path, id string, seen map[string]int) {
	switch {
	case id == "":
		s.add(path+".id", "is missing")
	case !idForm.MatchString(id):
		s.add(path+".id", "is %q; expected letters, digits, dot, dash or underscore, at most 64", id)
	case seen[id] != 0:
		s.add(path+".id", "is %q, which line %d has already", id, seen[id])
	default:
		seen[id] = s.line(path + ".id")
	}
}

func (s *source) secrets(path string, refs []config.Secret) {
	if len(refs) == 0 {
		s.add(path, "is missing; expected a list with env:NAME or file:PATH")
	}
	if len(refs) > maxSecrets {
		s.add(path, "has %d entries; expected at most %d: remove those no longer in use", len(refs), maxSecrets)
	}
	for i, r := range refs {
		p := fmt.Sprintf("%s[%d]", path, i)
		s.required(p, string(r))
		s.secret(p, r)
	}
}

// secret refuses literals. Its text never repeats what it found: it may be
// the secret.
func (s *source) secret(path string, r config.Secret) {
	if r == "" {
		return
	}
	if _, _, err := split(r); err != nil {
		s.add(path, "%v", err)
	}
}

func (s *source) hashKey(r config.Secret) { s.secret("privacy.hash_key", r) }
