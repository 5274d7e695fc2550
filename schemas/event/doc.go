// Package event defines every message that travels through Plumbline: what
// systems did (Change, Attempt, Observation, Signal), what Plumbline learned
// (Link, Delivery, Failure, Divergence) and time itself (Tick).
//
// A message is a plain struct. Its bytes are MessagePack maps keyed by the
// names in the `msg` tags (docs/adr/0002): a reader skips names it does not
// know and sees zero for names it misses, so fields may be added at any time
// and none may be renamed. The type travels in the record header, not in the
// bytes; see Encode and Decode.
//
// Nothing here does I/O, reads a clock or holds a lock.
package event

// A hostile length must not allocate: five bytes may announce four billion
// fields. The number is MaxFields, which Validate holds senders to.
//
//msgp:limit arrays:8192

//go:generate go tool msgp -tests=false -io=false -o event_gen.go -file .
