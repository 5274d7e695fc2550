// Command breaker waits until an agent is stopped, as a gateway would check it
// before each write.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// State is what the gateway needs of an agent.
type State struct {
	Agent  string `json:"agent"`
	State  string `json:"state"`
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// Breaker knows how every agent stands.
type Breaker struct {
	mu     sync.RWMutex
	states map[string]State
}

// Stopped reports whether an agent must not write, and why.
func (b *Breaker) Stopped(agent string) (State, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for key, s := range b.states {
		if strings.HasSuffix(key, "/"+agent) && s.State == "tripped" {
			return s, true
		}
	}
	return State{}, false
}

// Follow keeps the breaker up to date until the context ends.
func (b *Breaker) Follow(ctx context.Context, brokers string, changed func()) error {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.ConsumeTopics("plumbline.agent-states"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	for ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			var s State
			b.mu.Lock()
			defer b.mu.Unlock()
			if r.Value == nil || json.Unmarshal(r.Value, &s) != nil {
				delete(b.states, string(r.Key))
				return
			}
			b.states[string(r.Key)] = s
		})
		changed()
	}
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: breaker BROKERS AGENT")
		os.Exit(2)
	}
	b := &Breaker{states: map[string]State{}}
	ctx, stop := context.WithCancel(context.Background())
	err := b.Follow(ctx, os.Args[1], func() {
		if s, stopped := b.Stopped(os.Args[2]); stopped {
			fmt.Printf("go: %s is stopped by %s: it %s\n", s.Agent, s.Rule, s.Reason)
			stop()
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
