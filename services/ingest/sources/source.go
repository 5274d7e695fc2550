// Package sources turns providers' bodies into events, one file a provider.
// A decoder is pure: it checks nothing about who sent the body and stores
// nothing.
package sources

import (
	"errors"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Meta is what the request knows about a body.
type Meta struct {
	Hook       string
	ReceivedAt event.Time
}

// Result is a decoded body. Every element is in Changes, Bad or Ignored; an
// element of Changes may stand for several.
type Result struct {
	Changes []*event.Change
	Bad     []wire.Bad
	Ignored int
	Total   int
}

func (r *Result) reject(i int, element []byte, err error) {
	r.Bad = append(r.Bad, wire.Reject(i, element, err))
}

var errMissing = errors.New("is missing")
