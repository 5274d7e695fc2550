package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// List reads one value or a list of them.
type List[T any] []T

// UnmarshalYAML accepts both forms.
func (l *List[T]) UnmarshalYAML(unmarshal func(any) error) error {
	var many []T
	if err := unmarshal(&many); err == nil {
		*l = many
		return nil
	}
	var one T
	if err := unmarshal(&one); err != nil {
		return err
	}
	*l = List[T]{one}
	return nil
}

// Duration reads "90s", "15m", "2h".
type Duration time.Duration

// UnmarshalYAML implements the YAML hook.
func (d *Duration) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration, write 90s, 15m or 2h", s)
	}
	*d = Duration(v)
	return nil
}

// Hash identifies the part of the configuration that operators depend on:
// the same facts, hash and rules give the same outputs. Secrets and
// addresses are not in it.
func Hash(integrations []Integration) string {
	b, err := json.Marshal(integrations)
	if err != nil { // plain data: cannot fail
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
