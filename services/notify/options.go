package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/acklink"
	"plumbline.dev/services/notify/kit"
)

// Options of the role.
type Options struct {
	Source kit.Source
	Config config.Notify
	// File is the alertmanager.yml's path, resolved; empty without one.
	File    string
	Resolve func(config.Secret) ([]byte, error)
	Data    string // folder for what was told
	Console string // base URL in messages
	// AckKey signs links by which an alert is taken, good for AckFor; without one
	// messages name the command.
	AckKey acklink.Key
	AckFor time.Duration
	// Escalation is what each integration's runbook says, by its id.
	Escalation map[string][]Next

	// Read says what the records behind an alert are worth; nil: messages name
	// no sums.
	Read Read

	// Digest is the weekly message; nil: none is sent.
	Digest *Digest

	// Every is how often firing alerts are affirmed, default a minute.
	Every      time.Duration
	Now        func() time.Time
	Logger     *zap.Logger
	Registerer prometheus.Registerer // nil = not measured
}

func (o *Options) fill() error {
	if len(o.Source.Brokers) == 0 || o.Data == "" {
		return errors.New("notify: brokers and a data folder are required")
	}
	if o.Every == 0 {
		o.Every = time.Minute
	}
	if o.AckFor == 0 {
		o.AckFor = 72 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Console == "" {
		o.Console = "http://127.0.0.1:8080"
	}
	return nil
}

// external is the base URL of somebody else's Alertmanager, nil without one.
func (o *Options) external() *url.URL {
	if !IsURL(o.Config.Alertmanager) {
		return nil
	}
	u, err := url.Parse(o.Config.Alertmanager)
	if err != nil {
		return nil
	}
	return u
}

// IsURL tells an external Alertmanager from a file.
func IsURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

// slogged lets Alertmanager's packages log through ours.
func slogged(log *zap.Logger) *slog.Logger { return slog.New(handler{log}) }

type handler struct{ log *zap.Logger }

func (h handler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// Handle implements slog.Handler.
func (h handler) Handle(_ context.Context, r slog.Record) error {
	var fields []zap.Field
	r.Attrs(func(a slog.Attr) bool {
		fields = append(fields, zap.String(a.Key, a.Value.String()))
		return true
	})
	switch {
	case r.Level >= slog.LevelError:
		h.log.Error(r.Message, fields...)
	case r.Level >= slog.LevelWarn:
		h.log.Warn(r.Message, fields...)
	default:
		h.log.Debug(r.Message, fields...)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	log := h.log
	for _, a := range attrs {
		log = log.With(zap.String(a.Key, a.Value.String()))
	}
	return handler{log}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(string) slog.Handler { return h }
