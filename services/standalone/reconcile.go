package standalone

import (
	"context"
	"net"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/reconcile"
)

// newReconcile makes the role over what this process is connected to.
func (a *App) newReconcile() (*reconcile.Role, error) {
	key, err := a.hashKey()
	if err != nil {
		return nil, err
	}
	p, err := a.producer("reconcile")
	if err != nil {
		return nil, err
	}
	return reconcile.New(reconcile.Options{
		Config: a.o.Config, Bus: a.bus, Producer: p, Warehouse: a.db, Privacy: privacy.NewPolicy(key, a.o.Config.Integrations),
		Resolve: a.secrets.Resolve, Instance: a.o.Instance, Clock: a.o.Pace, Registerer: a.reg, Logger: a.log.Named("reconcile"),
		SchemaEvery: a.o.SchemaEvery,
	})
}

func (a *App) startReconcile(context.Context) error {
	if !a.o.has(Reconcile) {
		return nil
	}
	r, err := a.newReconcile()
	if err != nil {
		return err
	}
	a.stack.Go("reconcile", r.Run)
	return nil
}

// Comparison is one run by hand.
type Comparison struct {
	Integration, Object string // no object: all
	Tell                func(reconcile.Step)
}

// CompareOnce compares now. Where the configuration means the embedded pair
// and nobody runs it, this process does so meanwhile, with what makes rows of
// the results.
func CompareOnce(ctx context.Context, o Options, c Comparison) ([]*reconcile.Result, error) {
	o.Roles, o.Migrate = nil, false
	if o.Config.Kafka.IsEmbedded() && !answers(o.Config.Listen.Kafka) {
		o.Roles, o.Migrate = []Role{Kafka, ClickHouse, Process, Sink}, true
		o.Logger.Info("no running plumbline found: starting its stores for this comparison", zap.String("kafka", o.Config.Listen.Kafka))
	}
	o.warehouse = true
	a, err := Start(ctx, o)
	if err != nil {
		return nil, err
	}
	defer a.Stop() //nolint:errcheck // what it stores was stored
	r, err := a.newReconcile()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := r.Prepare(ctx); err != nil {
		return nil, err
	}
	results, err := r.Once(ctx, c.Integration, c.Object, c.Tell)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if spendErr := r.Spend(last); err == nil {
		err = spendErr
	}
	if err == nil && len(o.Roles) > 0 {
		a.settle(ctx)
	}
	return results, err
}

// settle gives the stages a moment to make rows of what was just found; the
// next start does the rest.
func (a *App) settle(ctx context.Context) { _ = a.o.Pace.Sleep(ctx, 3*time.Second) }

func answers(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
