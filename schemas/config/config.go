// Package config holds the typed configuration that every role shares. It
// only describes: reading files, resolving secrets and checking environment
// is services/internal/config.
package config

// Config is the one config file. Names are contracts; only integrations with
// ids and systems are required.
type Config struct {
	Listen       Listen        `yaml:"listen"`
	Data         string        `yaml:"data"`
	Kafka        Kafka         `yaml:"kafka"`
	ClickHouse   ClickHouse    `yaml:"clickhouse"`
	Privacy      Privacy       `yaml:"privacy"`
	Hooks        []Hook        `yaml:"hooks"`
	Senders      []Sender      `yaml:"senders"`
	Connections  []Connection  `yaml:"connections"`
	StatusPages  []StatusPage  `yaml:"status_pages"`
	Spool        Spool         `yaml:"spool"`
	Notify       Notify        `yaml:"notify"`
	Console      Console       `yaml:"console"`
	Agents       []Agent       `yaml:"agents"`
	Integrations []Integration `yaml:"integrations"`
}

// Listen holds the addresses of the servers, host:port.
type Listen struct {
	Ingest     string `yaml:"ingest"`
	Console    string `yaml:"console"`
	ClickHouse string `yaml:"clickhouse"`
	Kafka      string `yaml:"kafka"`
}

// Embedded as brokers or dsn means the built-in one.
const Embedded = "embedded"

// Kafka says where the log is.
type Kafka struct {
	Brokers    List[string] `yaml:"brokers"`    // embedded, or host:port list
	Partitions int          `yaml:"partitions"` // of keyed topics, at creation only
	Retention  Duration     `yaml:"retention"`  // of the topics that keep days, at most; 0 = 7 or 30 days each
	TLS        *TLS         `yaml:"tls"`
	SASL       *SASL        `yaml:"sasl"`
}

// IsEmbedded reports whether the built-in broker is used.
func (k Kafka) IsEmbedded() bool {
	return len(k.Brokers) == 0 || (len(k.Brokers) == 1 && k.Brokers[0] == Embedded)
}

// TLS of a Kafka connection; an empty block means the system's roots.
type TLS struct {
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// SASL of a Kafka connection.
type SASL struct {
	Mechanism string `yaml:"mechanism"` // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	User      string `yaml:"user"`
	Password  Secret `yaml:"password"`
}

// ClickHouse says where analytics live.
type ClickHouse struct {
	DSN      string `yaml:"dsn"`
	Password Secret `yaml:"password"` // of the embedded engine's HTTP port
	Cluster  string `yaml:"cluster"`  // of a real server: replicated, distributed tables on it
}

// IsEmbedded reports whether the built-in engine is used.
func (c ClickHouse) IsEmbedded() bool { return c.DSN == "" || c.DSN == Embedded }

// Secret is a reference, env:NAME or file:PATH, never the secret itself.
type Secret string

// Privacy holds the keys of the field policy.
type Privacy struct {
	HashKey Secret `yaml:"hash_key"`
}

// Hook is one webhook endpoint, POST /hooks/{id}.
type Hook struct {
	ID        string   `yaml:"id"`
	Source    string   `yaml:"source"`
	Secrets   []Secret `yaml:"secrets"`
	PublicURL string   `yaml:"public_url"`
	Accept    []string `yaml:"accept"` // older signature schemes to accept too, e.g. v1

	System      string            `yaml:"system"`      // where the records live, if the source does not say
	Account     string            `yaml:"account"`     // portal or org, if the source does not say
	Integration string            `yaml:"integration"` // of runs that runs does not name
	Runs        map[string]string `yaml:"runs"`        // a platform's connection or sync -> integration
	Actors      map[string]string `yaml:"actors"`      // a user's or app's id -> kind of actor
	Signature   *Signature        `yaml:"signature"`   // of source json: how the sender signs
	Mapping     *Mapping          `yaml:"mapping"`     // of a body nobody knows
}

// Signature says how a sender signs that Plumbline does not know.
type Signature struct {
	Header     string       `yaml:"header"`
	Prefix     string       `yaml:"prefix"`      // before the signature, like sha256=
	Encoding   string       `yaml:"encoding"`    // hex, base64, base64url
	Hash       string       `yaml:"hash"`        // sha256, sha1
	Key        string       `yaml:"key"`         // raw, hex, base64: how the secret becomes key bytes
	Signed     List[string] `yaml:"signed"`      // body, timestamp, id, method, uri, or a dot; in order
	TimeHeader string       `yaml:"time_header"` //
	TimeUnit   string       `yaml:"time_unit"`   // s, ms, rfc3339
	IDHeader   string       `yaml:"id_header"`   //
}

// Mapping says where the parts of an event stand in a body. Each is a path
// like data.items.0.id, or =text for always the same.
type Mapping struct {
	Kind        string            `yaml:"kind"` // change, attempt, signal
	Each        string            `yaml:"each"` // the list of events, if there are several
	ID          string            `yaml:"id"`
	Integration string            `yaml:"integration"`
	Object      string            `yaml:"object"`
	RecordID    string            `yaml:"record_id"`
	Operation   string            `yaml:"operation"`
	At          string            `yaml:"at"`
	Fields      string            `yaml:"fields"` // an object of names and values
	ActorKind   string            `yaml:"actor_kind"`
	ActorID     string            `yaml:"actor_id"`
	ExternalID  string            `yaml:"external_id"`
	Status      string            `yaml:"status"`
	Outcome     string            `yaml:"outcome"`
	Code        string            `yaml:"code"`
	Message     string            `yaml:"message"`
	Words       map[string]string `yaml:"words"` // their word -> ours, for operation, object, outcome and kinds
}

// Sender may post to /v1/* with one of its bearer tokens.
type Sender struct {
	ID     string   `yaml:"id"`
	Tokens []Secret `yaml:"tokens"`
}

// Connection is read-only API access to one account of one system.
type Connection struct {
	ID        string   `yaml:"id"`
	System    string   `yaml:"system"`
	Account   string   `yaml:"account"`
	Domain    string   `yaml:"domain"`
	Token     Secret   `yaml:"token"`
	Observe   []string `yaml:"observe"`
	CallShare float64  `yaml:"call_share"`
	Auth      *Auth    `yaml:"auth"`
	PollEvery Duration `yaml:"poll_every"` // of each object; 0 = a minute
	// Of a connection that observes by stream: Salesforce's channel and the
	// address of its Pub/Sub API.
	Channel   string `yaml:"channel"`
	StreamURL string `yaml:"stream_url"`
	// BaseURL replaces the vendor's address: a proxy, or a simulator. One on a
	// private network is refused unless AllowPrivate says that it is meant.
	BaseURL      string `yaml:"base_url"`
	AllowPrivate bool   `yaml:"allow_private"`
	// Of what is no CRM: where its tables or files are, and which of them is
	// which object.
	DSN    Secret           `yaml:"dsn"`
	Tables map[string]Table `yaml:"tables"`
}

// Table is where the records of an object are in a database or among files.
type Table struct {
	From     string `yaml:"from"` // a table, a query, or a file; the object's name unless said
	ID       string `yaml:"id"`   // columns; id unless said
	Modified string `yaml:"modified"`
	Created  string `yaml:"created"`
	Deleted  string `yaml:"deleted"` // yes or no, or when
}

// StatusPage is a vendor's page of incidents that is asked again and again,
// for vendors whose page tells nobody by itself.
type StatusPage struct {
	ID     string   `yaml:"id"`
	System string   `yaml:"system"` // whose page it is
	URL    string   `yaml:"url"`    // of the page, without /api
	Every  Duration `yaml:"every"`  // 0 = a minute
	// AllowPrivate lets the page be on a private network.
	AllowPrivate bool `yaml:"allow_private"`
}

// Spool bounds what ingest keeps on its disk while the log is away. When it
// is full, senders are asked to come again.
type Spool struct {
	MaxMiB int `yaml:"max_mib"` // 0 = 1024
}

// Auth is an OAuth flow of a connection.
type Auth struct {
	Flow         string `yaml:"flow"`
	ClientID     Secret `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	RefreshToken Secret `yaml:"refresh_token"`
	// Of jwt_bearer: the private key, as PEM, whose certificate the app knows;
	// the user to act for; and who issues tokens, the login host unless said.
	Key      Secret `yaml:"key"`
	Username string `yaml:"username"`
	Audience string `yaml:"audience"`
}

// Notify says who is told.
type Notify struct {
	Slack        Secret `yaml:"slack"`
	Email        string `yaml:"email"`
	SMTP         *SMTP  `yaml:"smtp"`         // how e-mail leaves
	Alertmanager string `yaml:"alertmanager"` // an alertmanager.yml, or the URL of one that runs elsewhere
	// AllowPrivate lets receivers be on a private network.
	AllowPrivate bool `yaml:"allow_private"`
	// AckKey signs the links in messages by which an alert is taken; without one
	// messages have no link. AckFor is how long a link is good, 0 = 72h.
	AckKey Secret   `yaml:"ack_key"`
	AckFor Duration `yaml:"ack_for"`
	Digest *Digest  `yaml:"digest"`
}

// Digest is the weekly message: what failed silently, the KPIs against the week
// before, the worst integration, what is open and due.
type Digest struct {
	Day  string `yaml:"day"`  // monday unless said
	Hour int    `yaml:"hour"` // of the day, 0 to 23
	Zone string `yaml:"zone"` // like Europe/Berlin; UTC unless said
}

// Weekdays are the words for a digest's day, sunday first as in package time.
var Weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// SMTP is a mail server.
type SMTP struct {
	Host     string `yaml:"host"` // host:port
	From     string `yaml:"from"`
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	Plain    bool   `yaml:"plain"` // without TLS
}
