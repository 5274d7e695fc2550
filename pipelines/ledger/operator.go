package ledger

import (
	"fmt"
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// habitPrefix starts the state keys of what was learned: no record's key
// starts so, because no integration is called so.
const habitPrefix = "@habit/"

// Operator folds one partition of facts: its records, and what they teach of
// each integration's object.
type Operator struct {
	l       *Ledger
	records *stream.Keyed[Record, *Record]

	walked bool // the rewrite walk has passed the habits
}

// New makes the operator of one partition of facts. Enrich, if not nil, puts
// the verdict on a failed attempt before it is folded.
func New(integrations []config.Integration, enrich func(*event.Attempt)) *Operator {
	return newOperator(integrations, enrich, learnAfter)
}

func newOperator(integrations []config.Integration, enrich func(*event.Attempt), learnAfter int) *Operator {
	l := newLedger(integrations, enrich, learnAfter)
	return &Operator{l: l, records: stream.NewKeyed[Record](l)}
}

// Len is the number of records held.
func (op *Operator) Len() int { return op.records.Len() }

// Step implements stream.Operator.
func (op *Operator) Step(ctx stream.Ctx, key string, ev event.Event, out *stream.Out) {
	op.records.Step(ctx, key, ev, out)
}

// Tick implements stream.Operator.
func (op *Operator) Tick(ctx stream.Ctx, out *stream.Out) { op.records.Tick(ctx, out) }

// Save implements stream.State.
func (op *Operator) Save(emit stream.Emit) error {
	for _, m := range op.l.sorted() {
		if m.habit.dirty {
			if err := m.habit.save(m, emit); err != nil {
				return err
			}
		}
	}
	return op.records.Save(emit)
}

// Rewrite implements stream.State: first the habits, then the records.
func (op *Operator) Rewrite(n int, emit stream.Emit) (bool, error) {
	if !op.walked {
		for _, m := range op.l.sorted() {
			if err := m.habit.save(m, emit); err != nil {
				return false, err
			}
		}
		op.walked = true
		return false, nil
	}
	done, err := op.records.Rewrite(n, emit)
	op.walked = !done
	return done, err
}

// Load implements stream.State.
func (op *Operator) Load(key string, value []byte) error {
	name, ok := strings.CutPrefix(key, habitPrefix)
	if !ok {
		return op.records.Load(key, value)
	}
	integration, object, _ := strings.Cut(name, "/")
	m := op.l.objects[[2]string{integration, object}]
	if m == nil || value == nil {
		return nil // nobody maps it any more
	}
	m.habit, m.known = newHabit(), false
	if _, err := m.habit.UnmarshalMsg(value); err != nil {
		return fmt.Errorf("habit of %s: %w", name, err)
	}
	return nil
}

// sorted lists what is mapped, in the order every run has.
func (l *Ledger) sorted() []*mapping {
	if l.order == nil {
		for _, m := range l.objects {
			l.order = append(l.order, m)
		}
		slices.SortFunc(l.order, func(a, b *mapping) int { return strings.Compare(a.name(), b.name()) })
	}
	return l.order
}
