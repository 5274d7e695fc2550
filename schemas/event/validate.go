package event

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrInvalid is wrapped by every validation error: permanent, the sender has
// to change the message.
var ErrInvalid = errors.New("invalid event")

// maxIDLen bounds ids: the longest native id in the field (Salesforce CDC
// replay keys) is under 100 bytes.
const maxIDLen = 512

// MaxFields bounds every list of a message: more than any CRM lets an object
// have (HubSpot 1000 custom properties, Salesforce 800). Decoding refuses more,
// so validation does too, where the sender still hears of it.
const MaxFields = 8192

func atMost(name string, n int) error {
	if n > MaxFields {
		return fmt.Errorf("%w: %s has %d entries, limit %d", ErrInvalid, name, n, MaxFields)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func required(name, v string) error {
	if v == "" {
		return fmt.Errorf("%w: %s is missing", ErrInvalid, name)
	}
	return plainID(name, v)
}

// plainID refuses control characters: ids are joined with one to be hashed.
func plainID(name, v string) error {
	if len(v) > maxIDLen {
		return fmt.Errorf("%w: %s is longer than %d bytes", ErrInvalid, name, maxIDLen)
	}
	for i := range len(v) {
		if v[i] < 0x20 {
			return fmt.Errorf("%w: %s contains a control character", ErrInvalid, name)
		}
	}
	return nil
}

func plainIDs(name string, ids []string) error {
	for _, id := range ids {
		if err := plainID(name, id); err != nil {
			return err
		}
	}
	return nil
}

func oneOf(name, v string, words []string) error {
	if slices.Contains(words, v) {
		return nil
	}
	return fmt.Errorf("%w: %s is %q, want one of %s", ErrInvalid, name, v, strings.Join(words, ", "))
}

func known(name string, t Time) error {
	if t <= 0 {
		return fmt.Errorf("%w: %s is missing or before 1970", ErrInvalid, name)
	}
	return nil
}
