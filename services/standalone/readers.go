package standalone

import (
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/reconcile"
)

// Readers are the two sides of an integration that is not configured yet.
type Readers struct {
	Source, Target crm.Reader
	closers        []func()
}

// OpenReaders makes the readers of two connections.
func OpenReaders(resolve func(config.Secret) ([]byte, error), source, target *config.Connection) (*Readers, error) {
	r := &Readers{}
	for _, x := range []struct {
		c  *config.Connection
		to *crm.Reader
	}{{source, &r.Source}, {target, &r.Target}} {
		reader, _, done, err := reconcile.Open(x.c, resolve, pace.Real, nil)
		if err != nil {
			r.Close()
			return nil, err
		}
		*x.to = reader
		r.closers = append(r.closers, done)
	}
	return r, nil
}

// Close ends idle connections.
func (r *Readers) Close() {
	for _, done := range r.closers {
		done()
	}
}
