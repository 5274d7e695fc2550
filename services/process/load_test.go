package process

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// load writes changes, attempts and echoes of a few records, each of them
// again now and then, and keeps the ids that were acknowledged.
type load struct {
	rng      *rand.Rand
	producer *bus.Producer
	ticks    *bus.Broadcast
	clock    event.Time
	n        int
	accepted map[string]bool // event ids the log acknowledged
	unknown  map[string]bool // produced, no answer: may be there or not
	again    []bus.Message
	lastErr  error
}

func newLoad(addr string, topics bus.Topics, seed uint64) (*load, error) {
	o := bus.Options{Brokers: []string{addr}}
	p, err := bus.NewProducer(o, "test")
	if err != nil {
		return nil, err
	}
	b, err := bus.NewBroadcast(o, topics)
	if err != nil {
		return nil, err
	}
	return &load{
		rng: rand.New(rand.NewPCG(seed, 7)), producer: p, ticks: b, clock: 1_700_000_000_000,
		accepted: map[string]bool{}, unknown: map[string]bool{},
	}, nil
}

func (l *load) close() {
	l.producer.Close()
	l.ticks.Close()
}

// burst writes n steps of traffic and a tick. Events that got no answer are
// sent again, as a vendor would.
func (l *load) burst(ctx context.Context, n int) {
	var batch []bus.Message
	for range n {
		batch = append(batch, l.step()...)
	}
	for i := 0; i < 2+l.rng.IntN(4) && len(l.again) > 0; i++ { // redeliveries
		batch = append(batch, l.again[l.rng.IntN(len(l.again))])
	}
	l.send(ctx, batch)
	l.clock += event.Time(200 + l.rng.IntN(4000))
	tickCtx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	_ = l.ticks.Send(tickCtx, l.clock, &event.Tick{At: l.clock}, topic.Intake, topic.Facts) // a lost tick only delays
}

func (l *load) send(ctx context.Context, batch []bus.Message) {
	for try := 0; ; try++ {
		err := l.producer.Produce(ctx, batch...)
		for _, m := range batch {
			if err == nil {
				l.accepted[eventID(m.Event)] = true
				delete(l.unknown, eventID(m.Event))
			} else if !l.accepted[eventID(m.Event)] {
				l.unknown[eventID(m.Event)] = true
			}
		}
		if err == nil || ctx.Err() != nil || try == 40 {
			break
		}
		l.lastErr = err
		time.Sleep(250 * time.Millisecond)
	}
	l.again = append(l.again, batch...)
}

// step is a change, and mostly what follows from it.
func (l *load) step() []bus.Message {
	l.n++
	l.clock += event.Time(l.rng.IntN(50))
	record := fmt.Sprint(100 + l.rng.IntN(40))
	change := &event.Change{
		ID: fmt.Sprintf("c%06d", l.n), Hook: "hs", System: "hubspot", Account: "62515", Object: "contact",
		RecordID: record, Operation: event.OpUpdate, ChangedAt: l.clock, ReceivedAt: l.clock + 300,
		TimeBasis: event.TimeEvent, BodyHash: uint64(l.n),
		Fields: []event.Field{{Name: []string{"email", "phone", "stage"}[l.rng.IntN(3)], Value: event.Value{Text: fmt.Sprint(l.n)}}},
	}
	source := event.NativeKey("hubspot", "62515", "contact", record)
	out := []bus.Message{{Topic: topic.Intake, Key: source, Time: change.ReceivedAt, Event: change}}
	for try := range l.rng.IntN(3) {
		attempt := &event.Attempt{
			ID: fmt.Sprintf("a%06d-%d", l.n, try), Integration: "hs-sf", OccurredAt: l.clock + event.Time(400+100*try),
			ReceivedAt: l.clock + event.Time(450+100*try), System: "salesforce", Object: "contact",
			Operation: event.OpUpsert, SourceID: record, TargetID: "003" + record, Outcome: event.OutcomeOK,
			Fields: change.Fields, BodyHash: uint64(l.n*10 + try),
		}
		if l.rng.IntN(4) == 0 {
			attempt.Outcome, attempt.Status, attempt.TargetID = event.OutcomeError, 503, ""
		}
		out = append(out, bus.Message{Topic: topic.Intake, Key: source, Time: attempt.ReceivedAt, Event: attempt})
	}
	if l.rng.IntN(2) == 0 {
		echo := &event.Change{
			ID: fmt.Sprintf("e%06d", l.n), Hook: "sf", System: "salesforce", Account: "00D", Object: "Contact",
			RecordID: "003" + record, Operation: event.OpUpdate, ChangedAt: l.clock + 900, ReceivedAt: l.clock + 1200,
			Fields: change.Fields, Actor: event.Actor{Kind: event.ActorIntegration, ID: "005SYNC"}, BodyHash: uint64(l.n),
		}
		key := event.NativeKey("salesforce", "00D", "Contact", echo.RecordID)
		out = append(out, bus.Message{Topic: topic.Intake, Key: key, Time: echo.ReceivedAt, Event: echo})
	}
	return out
}

func eventID(e event.Event) string {
	switch e := e.(type) {
	case *event.Change:
		return e.ID
	case *event.Attempt:
		return e.ID
	}
	return ""
}
