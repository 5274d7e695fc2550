package notify

import (
	"fmt"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/notify/kit"
)

// SourceOf reads the alert topics with the same brokers, TLS and password as
// every other role.
func SourceOf(o bus.Options, k config.Kafka, resolve func(config.Secret) ([]byte, error)) (kit.Source, error) {
	s := kit.Source{Brokers: o.Brokers, TLS: o.TLS}
	if k.SASL == nil {
		return s, nil
	}
	password, err := resolve(k.SASL.Password)
	if err != nil {
		return s, fmt.Errorf("kafka.sasl.password: %w", err)
	}
	s.SASL, err = mechanism(k.SASL.Mechanism, k.SASL.User, string(password))
	return s, err
}

func mechanism(name, user, password string) (sasl.Mechanism, error) {
	switch name {
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, user, password)
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, user, password)
	}
	return plain.Mechanism{Username: user, Password: password}, nil
}
