package config

import (
	"fmt"
	"net/url"
	"strings"

	"plumbline.dev/schemas/config"
)

// Summary says in a few lines what a configuration means. It is safe to log:
// of secrets it shows only how many there are.
func Summary(c *config.Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ingest on %s, console on %s\n", c.Listen.Ingest, c.Listen.Console)
	fmt.Fprintf(&b, "kafka: %s, %d partitions\n", strings.Join(c.Kafka.Brokers, ", "), c.Kafka.Partitions)
	fmt.Fprintf(&b, "clickhouse: %s\n", RedactDSN(c.ClickHouse.DSN))
	for _, h := range c.Hooks {
		fmt.Fprintf(&b, "hook %s: %s, %s\n", h.ID, h.Source, count(len(h.Secrets), "secret"))
	}
	for _, s := range c.Senders {
		fmt.Fprintf(&b, "sender %s: %s\n", s.ID, count(len(s.Tokens), "token"))
	}
	for _, x := range c.Connections {
		fmt.Fprintf(&b, "connection %s: %s account %s, observes by %s\n", x.ID, x.System, x.Account, strings.Join(x.Observe, ", "))
	}
	for i := range c.Integrations {
		in := &c.Integrations[i]
		fmt.Fprintf(&b, "integration %s (tenant %s, %s, %s): %s -> %s, %s, attempts %s\n", in.ID, in.Tenant, in.Priority,
			in.Mode, in.Source.System, in.Target.System, count(len(in.Objects), "object"), in.Attempts)
	}
	return b.String()
}

// RedactDSN hides whatever an address may carry beside where it leads.
func RedactDSN(dsn string) string {
	if dsn == "" || dsn == config.Embedded {
		return config.Embedded
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "(cannot be read)"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	u.RawQuery = ""
	return u.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
