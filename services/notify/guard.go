package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"plumbline.dev/services/internal/guard"
)

// guarded dials as the configuration allows: a webhook address in a config file
// must not become a way into the network Plumbline runs in.
func guarded(allowPrivate bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := guard.Dialer(allowPrivate, 10*time.Second)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, addr)
		if errors.Is(err, guard.ErrPrivate) {
			err = fmt.Errorf("%w: set notify.allow_private if that is meant", err)
		}
		return conn, err
	}
}
