package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
)

// FromConfig makes the options of a configured log. The embedded broker is
// reached at its listening address.
func FromConfig(k config.Kafka, embedded string, resolve func(config.Secret) ([]byte, error), log *zap.Logger) (Options, error) {
	o := Options{Brokers: k.Brokers, Retention: time.Duration(k.Retention), Logger: log}
	if k.IsEmbedded() {
		o.Brokers = []string{embedded}
		return o, nil
	}
	var err error
	if k.TLS != nil {
		if o.TLS, err = tlsConfig(k.TLS); err != nil {
			return o, fmt.Errorf("kafka.tls: %w", err)
		}
	}
	if k.SASL != nil {
		password, err := resolve(k.SASL.Password)
		if err != nil {
			return o, fmt.Errorf("kafka.sasl.password: %w", err)
		}
		if o.SASL, err = mechanism(k.SASL, string(password)); err != nil {
			return o, fmt.Errorf("kafka.sasl: %w", err)
		}
	}
	return o, nil
}

func tlsConfig(c *config.TLS) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, err
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", c.CA)
		}
	}
	if c.Cert == "" {
		return t, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	t.Certificates = []tls.Certificate{pair}
	return t, err
}

func mechanism(c *config.SASL, password string) (sasl.Mechanism, error) {
	switch c.Mechanism {
	case "PLAIN":
		return plain.Auth{User: c.User, Pass: password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: c.User, Pass: password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: c.User, Pass: password}.AsSha512Mechanism(), nil
	}
	return nil, errors.New("mechanism must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
}
