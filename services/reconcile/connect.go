package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/crm/hubspot"
	"plumbline.dev/services/internal/crm/salesforce"
	"plumbline.dev/services/internal/crm/table"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/warehouse"
)

// account is one connection: its reader and its part of the account's calls.
type account struct {
	conn   *config.Connection
	reader crm.Reader
	budget *crm.Budget
	close  func()
	told   time.Time // when its own counter was told last
}

func (a *account) polls() bool { return slices.Contains(a.conn.Observe, "poll") }

// hooked reports whether the system tells of its changes itself.
func (a *account) hooked() bool { return slices.Contains(a.conn.Observe, "hook") }

// Open makes the reader of a connection, and the budget that its calls cost.
// Own is Plumbline's ClickHouse, which reads Parquet for it; nil where there
// is none at hand.
func Open(c *config.Connection, resolve func(config.Secret) ([]byte, error), clock pace.Clock, own *warehouse.DB) (crm.Reader, *crm.Budget, func(), error) {
	secret := func(ref config.Secret) (string, error) {
		if ref == "" {
			return "", nil
		}
		b, err := resolve(ref)
		return string(b), err
	}
	token, err := secret(c.Token)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("connection %s: %w", c.ID, err)
	}
	if c.DSN != "" {
		return openTables(c, secret, token, clock, own)
	}
	switch c.System {
	case "hubspot":
		b := crm.NewBudget(crm.BudgetOptions{System: "HubSpot", Share: c.CallShare, Daily: hubspot.LeastDaily, Clock: clock})
		r, err := hubspot.New(hubspot.Options{BaseURL: c.BaseURL, AllowPrivate: c.AllowPrivate, Token: token, Budget: b, Clock: clock})
		if err != nil {
			return nil, nil, nil, fmt.Errorf("connection %s: %w", c.ID, err)
		}
		return r, b, r.Close, nil
	case "salesforce":
		auth, err := salesforce.AuthOf(c, resolve)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("connection %s: %w", c.ID, err)
		}
		b := crm.NewBudget(crm.BudgetOptions{System: "Salesforce", Share: c.CallShare, Daily: salesforce.LeastDaily, Clock: clock})
		r, err := salesforce.New(salesforce.Options{
			Domain: c.Domain, BaseURL: c.BaseURL, AllowPrivate: c.AllowPrivate, Auth: auth, Budget: b, Clock: clock,
		})
		if err != nil {
			return nil, nil, nil, fmt.Errorf("connection %s: %w", c.ID, err)
		}
		return r, b, r.Close, nil
	}
	return nil, nil, nil, fmt.Errorf("connection %s: there is no reader for %s; hubspot and salesforce have one, and tables and files that a dsn names", c.ID, c.System)
}

// tableCalls bounds queries a day where nobody else does.
const tableCalls = 1_000_000

func openTables(c *config.Connection, secret func(config.Secret) (string, error), token string, clock pace.Clock, own *warehouse.DB) (
	crm.Reader, *crm.Budget, func(), error,
) {
	dsn, err := secret(c.DSN)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("connection %s: %w", c.ID, err)
	}
	b := crm.NewBudget(crm.BudgetOptions{System: c.System, Share: 1, Daily: tableCalls, Clock: clock})
	r, err := table.New(table.Options{
		System: c.System, DSN: dsn, Token: token, Tables: c.Tables, AllowPrivate: c.AllowPrivate, Budget: b, Clock: clock, Engine: own,
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("connection %s: %w", c.ID, err)
	}
	return r, b, r.Close, nil
}

// subject is one object of an integration with the two accounts it is read from.
type subject struct {
	*match.Mapping
	sides map[string]*account
}

func (s *subject) name() string { return s.Integration.ID + "/" + s.Object.Name }

// connect opens every connection that an integration uses, and pairs objects
// with them. An integration without two connections is left to others.
func (r *Role) connect() error {
	for i := range r.o.Config.Connections {
		c := &r.o.Config.Connections[i]
		reader, budget, done, err := Open(c, r.o.Resolve, r.o.Clock, r.o.Warehouse)
		if err != nil {
			return err
		}
		r.accounts[c.ID] = &account{conn: c, reader: reader, budget: budget, close: done}
	}
	for i := range r.o.Config.Integrations {
		in := &r.o.Config.Integrations[i]
		source, target := r.accounts[in.Source.Connection], r.accounts[in.Target.Connection]
		if source == nil || target == nil {
			continue
		}
		for j := range in.Objects {
			o := &in.Objects[j]
			if o.Excluded != "" {
				continue
			}
			r.subjects = append(r.subjects, &subject{
				Mapping: match.New(in, o, r.o.Privacy), sides: map[string]*account{event.Source: source, event.Target: target},
			})
		}
	}
	return nil
}

// learn asks both systems what they have: missing properties are found here,
// not as differences. It is asked again at every comparison.
func (s *subject) learn(ctx context.Context, log *zap.Logger) (missing map[string]string, err error) {
	missing = map[string]string{}
	for _, side := range []string{event.Source, event.Target} {
		natives := s.Natives(side)
		lacks := map[string]int{}
		for _, native := range natives {
			properties, err := s.sides[side].reader.Describe(ctx, native)
			if err != nil {
				return nil, fmt.Errorf("describe %s: %w", native, err)
			}
			for _, f := range s.Know(side, native, properties) {
				lacks[f]++
			}
		}
		for f, n := range lacks {
			if n < len(natives) { // a lead need not have every field
				continue
			}
			missing[side+"."+f] = fmt.Sprintf("%s has no %s.%s (any more)", s.Endpoint(side).System, natives[0], f)
			log.Warn("a mapped field is not there", zap.String("object", s.name()), zap.String("side", side), zap.String("field", f))
		}
		if !s.Via() {
			continue
		}
		users, err := s.sides[side].reader.Users(ctx)
		if err != nil {
			return nil, fmt.Errorf("read users of %s: %w", s.Endpoint(side).System, err)
		}
		s.Users(side, users)
	}
	return missing, nil
}
