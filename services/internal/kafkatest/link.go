package kafkatest

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

// Link is a way to a broker, fake or real, on which requests of one kind may
// be late or lose their answers. Its Dial goes into a client's options.
type Link struct {
	mu  sync.Mutex
	key int16
	do  Trouble
	n   int // how many more times
}

// Trouble is what a Link does to a request.
type Trouble struct {
	Late time.Duration // it leaves this much later
	Deaf bool          // it arrives, and the answer is lost with the connection
}

// Trouble the next n requests of an API key.
func (l *Link) Trouble(key int16, n int, do Trouble) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.key, l.n, l.do = key, n, do
}

// Left is how many requests are still to be troubled.
func (l *Link) Left() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// Dial opens a connection over the link.
func (l *Link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &linked{Conn: c, link: l}, nil
}

func (l *Link) next(request []byte) Trouble {
	const head = 4 + 2 // the length, and the API key
	if len(request) < head {
		return Trouble{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == 0 || int16(binary.BigEndian.Uint16(request[4:])) != l.key { //nolint:gosec // as the protocol has it
		return Trouble{}
	}
	l.n--
	return l.do
}

// linked relies on the client writing each request in one piece.
type linked struct {
	net.Conn
	link *Link
}

var errDeaf = errors.New("kafkatest: the answer was lost")

func (c *linked) Write(b []byte) (int, error) {
	do := c.link.next(b)
	time.Sleep(do.Late)
	n, err := c.Conn.Write(b)
	if err == nil && do.Deaf {
		// The broker has time to carry it out before it sees the end.
		time.Sleep(100 * time.Millisecond)
		_ = c.Close()
		return n, errDeaf
	}
	return n, err
}
