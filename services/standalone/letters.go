package standalone

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/ingest"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/warehouse"
)

// Letters opens dead letters and takes them in again, for the command and the
// console alike.
type Letters struct {
	DB       *warehouse.DB
	Policy   *privacy.Policy
	Options  Options
	Producer *bus.Producer // nil: only dry runs
}

// Unseal is a letter's bytes as they came.
func (l *Letters) Unseal(x *warehouse.Letter) ([]byte, error) {
	if !x.Sealed {
		return []byte(x.Bytes), nil
	}
	key := l.Policy.Key()
	if x.KeyID != key.ID() {
		return nil, fmt.Errorf("letter %s is sealed with key %s, and this configuration has %s: set privacy.hash_key to the one it came with", x.ID, x.KeyID, key.ID())
	}
	return key.Open(x.Tenant, x.Origin, []byte(x.Bytes))
}

// Take takes a letter in again with the configuration as it is now, or says
// what would happen. Refused are the reasons why it still cannot be used.
func (l *Letters) Take(ctx context.Context, x *warehouse.Letter, dry bool) (events int, refused []string, err error) {
	raw, err := l.Unseal(x)
	if err != nil {
		return 0, []string{err.Error()}, nil
	}
	if strings.HasPrefix(x.Origin, "sink:") {
		if dry {
			return 1, nil, nil
		}
		if err := l.DB.Redo(ctx, x.ID, x.Origin, raw); err != nil {
			return 0, []string{err.Error()}, nil
		}
		return 1, nil, nil
	}
	messages, why, err := ingest.Replay(ingest.Options{
		Config: l.Options.Config, Secrets: cfgload.Secrets{Dir: l.Options.ConfigDir}, Privacy: l.Policy, Logger: zap.NewNop(),
	}, x.Origin, raw)
	if err != nil {
		return 0, []string{err.Error()}, nil
	}
	if !dry && len(messages) > 0 {
		err = l.Producer.Produce(ctx, messages...)
	}
	return len(messages), why, err
}

var errNoLetter = errors.New("the letter is not there any more")

func (l *Letters) find(ctx context.Context, id string) (*warehouse.Letter, error) {
	found, err := l.DB.Letters(ctx, []string{id}, "", time.Time{}, 1)
	if err == nil && len(found) == 0 {
		err = errNoLetter
	}
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// Open implements console.Letters.
func (l *Letters) Open(ctx context.Context, id string) ([]byte, error) {
	x, err := l.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return l.Unseal(x)
}

// Replay implements console.Letters.
func (l *Letters) Replay(ctx context.Context, id string, dry bool) (events int, refused []string, err error) {
	x, err := l.find(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	return l.Take(ctx, x, dry)
}
