package standalone

import (
	"context"

	"plumbline.dev/services/console"
)

func (a *App) startConsole(ctx context.Context) error {
	if !a.o.has(Console) {
		return nil
	}
	s, err := console.New(console.Options{
		Warehouse: a.db, Listen: a.o.Config.Listen.Console, Demo: a.o.Demo != nil,
		Ingest: "http://" + a.o.Config.Listen.Ingest, Integrations: a.o.Config.Integrations,
		Registerer: a.reg, Gatherer: a.reg, Logger: a.log.Named("console"),
	})
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	a.stack.OnStop("console", s.Stop)
	a.Addrs.Console = s.Addr()
	return nil
}
