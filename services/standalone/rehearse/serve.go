package rehearse

import (
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// serve answers on a listener until the rehearsal is over.
func (s *stage) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.o.Logger.Error("fake CRM ended", zap.Error(err))
		}
	}()
	s.stops = append(s.stops, func() error {
		err := server.Close()
		<-done
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		return err
	})
}
