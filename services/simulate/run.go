package simulate

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"plumbline.dev/services/internal/truth"
)

// Simulation is one run.
type Simulation struct {
	o      Options
	mu     sync.Mutex // guards worlds and box; the fake APIs read while they play
	worlds []*world
	box    outbox
	behind atomic.Int64 // nanoseconds, the most so far
	send   *sender
	apis   []fakes
}

// New prepares a run; nothing is sent yet.
func New(o Options) (*Simulation, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	s := &Simulation{o: o}
	s.send = newSender(&s.o)
	s.worlds = newWorlds(&s.o, &s.box)
	for _, w := range s.worlds {
		s.apis = append(s.apis, s.serve(w))
	}
	return s, nil
}

// Run plays until the duration is over and everything is sent, or until ctx
// ends; both are no error. It may be called once.
func (s *Simulation) Run(ctx context.Context) error {
	s.send.start(ctx)
	s.begin()
	err := s.play(ctx)
	s.send.stop()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return errors.Join(err, s.flush())
}

func (s *Simulation) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.worlds {
		w.note(truth.Line{
			Kind: truth.Run, ID: w.in.ID, Seed: s.o.Seed,
			Note: "rate " + strconv.FormatFloat(s.o.Rate, 'g', -1, 64) + ", history " + s.o.History.String(),
		})
		for _, o := range w.objects {
			w.note(truth.Line{Kind: truth.Set, Object: o.Name, Fields: o.names(o.every, false)})
		}
		w.populate()
		w.people.start()
		w.faults.start()
	}
}

// finish closes the truth: what is not told by now did not happen.
func (s *Simulation) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.o.Start.Add(s.o.Duration)
	for _, w := range s.worlds {
		w.note(truth.Line{Kind: truth.End, ID: w.in.ID, At: truth.Time(end.UnixMilli())})
	}
}

// blink is how long is waited at a time: a client of the fakes may bring about
// what comes before the next event.
const blink = time.Second

// reach moves time on in which nothing happens.
func (s *Simulation) reach(at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds[0].Reach(at)
}

// play runs event after event, each when its time has come.
func (s *Simulation) play(ctx context.Context) error {
	began, first := s.o.Clock.Now(), s.o.Start.UnixMilli()
	end := int64(math.MaxInt64)
	if s.o.Duration > 0 {
		end = first + s.o.Duration.Milliseconds()
	}
	for ctx.Err() == nil {
		s.mu.Lock()
		at, ok := s.worlds[0].Next() // one timeline for all
		s.mu.Unlock()
		if !ok || at > end {
			s.finish()
			return nil
		}
		ahead := time.Duration(float64(at-first)/s.o.Speed*1e6) - s.o.Clock.Now().Sub(began)
		s.behind.Store(max(s.behind.Load(), int64(-ahead)))
		if at > first && ahead > time.Millisecond && !math.IsInf(s.o.Speed, 1) {
			if err := s.flush(); err != nil {
				return err
			}
			wait := min(ahead, blink)
			if err := s.o.Clock.Sleep(ctx, wait); err != nil {
				return err
			}
			if wait < ahead {
				s.reach(at - int64(float64((ahead-wait).Milliseconds())*s.o.Speed))
				continue
			}
		}
		s.step()
	}
	return ctx.Err()
}

// step runs one event, and sends what came of it without holding the world.
func (s *Simulation) step() {
	s.mu.Lock()
	s.worlds[0].Step()
	posts, at := s.box.posts, s.worlds[0].Now()
	s.box.posts = nil
	s.mu.Unlock()
	for _, p := range posts {
		s.send.put(at, p)
	}
}

func (s *Simulation) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.worlds[0].truth.Flush()
}

// Stats is what was sent so far.
func (s *Simulation) Stats() Stats { return s.send.stats() }

// Behind is how far the run fell behind its clock at most, in its own time: a
// machine that is too slow for the speed asked for.
func (s *Simulation) Behind() time.Duration { return time.Duration(s.behind.Load()) }

// Through is the instant up to which everything was taken by the receiver.
func (s *Simulation) Through() time.Time {
	if at, ok := s.send.way.oldest(); ok {
		return time.UnixMilli(at)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.worlds[0].Next() // nothing happens before
	if !ok {
		at = s.worlds[0].Now()
	}
	return time.UnixMilli(at)
}

// Now is how far the run has come, in its own time.
func (s *Simulation) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.UnixMilli(s.worlds[0].Now()).UTC()
}
