// Package wire measures what docs/adr/0002 decides: the form in which events
// travel. Same messages, same fields, five codecs. It is a module of its own,
// so that the peers are in nobody else's go.mod. Run it with ./run.sh.
package wire
