package kafka

import (
	"net"
	"sync"
)

// gate is a listener that lets nobody in until it is opened. kfake accepts as
// soon as it exists, and a commit must not pass before intents are watched.
// Clients that connect early wait in the kernel's queue.
type gate struct {
	net.Listener
	once   sync.Once
	opened chan struct{}
}

func newGate(ln net.Listener) *gate {
	return &gate{Listener: ln, opened: make(chan struct{})}
}

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	<-g.opened
	return g.Listener.Accept()
}

// Close implements net.Listener.
func (g *gate) Close() error {
	err := g.Listener.Close()
	g.open()
	return err
}
