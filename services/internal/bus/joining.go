package bus

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// joining knows whether the member is on its way into the next generation of
// its group. The client names the generation when a commit is asked for and
// sends it when the way is over: with the generation before, which is refused,
// and the transaction is lost with the state of all its partitions.
type joining struct {
	mu   sync.Mutex
	done chan struct{} // nil: not on the way
}

func (j *joining) begin() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done == nil {
		j.done = make(chan struct{})
	}
}

func (j *joining) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done != nil {
		close(j.done)
		j.done = nil
	}
}

func (j *joining) under() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done
}

// wait returns when the member is not on its way, or with ctx: the commit then
// shows what became of the group.
func (j *joining) wait(ctx context.Context) {
	for done := j.under(); done != nil && ctx.Err() == nil; done = j.under() {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}

// OnBrokerWrite implements kgo.HookBrokerWrite.
func (j *joining) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.JoinGroup) {
		j.begin()
	}
}

// OnBrokerE2E implements kgo.HookBrokerE2E. With the answer to the second of
// its two requests a member is there.
func (j *joining) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key == int16(kmsg.SyncGroup) && e.Err() == nil {
		j.end()
	}
}
