package notify

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

	amconfig "github.com/prometheus/alertmanager/config"
	"go.yaml.in/yaml/v3"
	"plumbline.dev/schemas/config"
)

// Words are the templates of messages, for whoever writes an alertmanager.yml:
// {{ template "plumbline.title" . }} and {{ template "plumbline.text" . }}.
//
//go:embed words.tmpl
var words string

// load reads the file, or renders the shortcut of the config.
func load(o *Options) (*amconfig.Config, error) {
	if o.File != "" {
		c, err := amconfig.LoadFile(o.File)
		if err != nil {
			return nil, fmt.Errorf("notify.alertmanager %s: %w", o.File, err)
		}
		return c, nil
	}
	text, err := Render(o.Config, addresses(o.Escalation), o.Resolve)
	if err != nil {
		return nil, err
	}
	c, err := amconfig.Load(text)
	if err != nil {
		return nil, fmt.Errorf("notify: the rendered alertmanager.yml is refused: %w", err)
	}
	return c, nil
}

type m = map[string]any

// Render writes the notify: shortcut as an alertmanager.yml. Addresses are those
// that runbooks escalate to: each is a receiver of its own, beside the people.
func Render(n config.Notify, addresses []string, resolve func(config.Secret) ([]byte, error)) (string, error) {
	people := m{"name": "people"}
	if n.Slack != "" {
		url, err := resolve(n.Slack)
		if err != nil {
			return "", fmt.Errorf("notify.slack: %w", err)
		}
		people["slack_configs"] = []m{{
			"api_url": strings.TrimSpace(string(url)), "send_resolved": true,
			"title": `{{ template "plumbline.title" . }}`, "text": `{{ template "plumbline.text" . }}`,
			"title_link": `{{ template "plumbline.link" . }}`, "fallback": `{{ template "plumbline.title" . }}`,
		}}
	}
	var routes, receivers []m
	if n.Email != "" {
		email, err := smtp(n, resolve)
		if err != nil {
			return "", err
		}
		people["email_configs"] = []m{email}
		for _, to := range addresses {
			next := maps.Clone(email)
			next["to"] = to
			receivers = append(receivers, m{"name": "next " + to, "email_configs": []m{next}})
			routes = append(routes, m{"receiver": "next " + to, "matchers": []string{"escalated_to=" + strconv.Quote(to)}, "continue": true})
		}
	}
	root := m{
		"route": m{
			"receiver": "people", "group_by": []string{"tenant", "integration", "cause"},
			"group_wait": "10s", "group_interval": "2m", "repeat_interval": "4h",
			"routes": append(routes,
				m{"receiver": "nobody", "matchers": []string{`alertname="watchdog"`}},
				m{"receiver": "people", "matchers": []string{`severity="page"`}, "repeat_interval": "1h"},
				m{"receiver": "people", "matchers": []string{`severity="ticket"`}, "repeat_interval": "24h"},
			),
		},
		"inhibit_rules": []m{{
			"source_matchers": []string{`explained="no"`}, "target_matchers": []string{`explained="yes"`},
			"equal": []string{"tenant", "cause"},
		}},
		"receivers": append(receivers, people, m{"name": "nobody"}),
	}
	b, err := yaml.Marshal(root)
	return string(b), err
}

func smtp(n config.Notify, resolve func(config.Secret) ([]byte, error)) (m, error) {
	s := n.SMTP
	if s == nil || s.Host == "" {
		return nil, fmt.Errorf("notify.email needs notify.smtp with host, like { host: smtp.example.com:587, from: plumbline@example.com }")
	}
	email := m{
		"to": n.Email, "from": s.From, "smarthost": s.Host, "send_resolved": true, "require_tls": !s.Plain,
		"headers": m{"Subject": `{{ template "plumbline.title" . }}`}, "html": "", "text": `{{ template "plumbline.all" . }}`,
	}
	if s.User != "" {
		password, err := resolve(s.Password)
		if err != nil {
			return nil, fmt.Errorf("notify.smtp.password: %w", err)
		}
		email["auth_username"], email["auth_password"] = s.User, strings.TrimSpace(string(password))
	}
	return email, nil
}

// lock makes this the one active copy on its data folder.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := exclusive(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("another notify works on %s: stop it, or give this one a data folder of its own and other receivers", path)
	}
	return f, nil
}
