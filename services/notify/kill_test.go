package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

// told counts the messages of each alert, by the word in its summary.
func (w *world) told() map[string]int {
	out := map[string]int{}
	for _, text := range w.slack.got() {
		for word := range strings.FieldsSeq(text) {
			if strings.HasPrefix(word, "alert-") {
				out[word]++
				break
			}
		}
	}
	return out
}

func (w *world) alert(n int) {
	a := incident(fmt.Sprint("alert-", n), event.AlertFiring)
	a.Integration = fmt.Sprint("sync-", n) // a group of its own
	a.Summary = fmt.Sprint("alert-", n, " broke")
	w.say(a)
}

// Whatever is killed, and whenever: every alert is told. It is told a second
// time only where a kill -9 came before it was saved that it was told.
func TestKillsLoseNothing(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	saved := map[string]bool{} // alerts that must not come again
	said := 0
	all := func(kills int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(w.told()) == said }, 60*time.Second, 20*time.Millisecond, "%d said", said)
		for name, n := range w.told() {
			require.LessOrEqual(t, n, 1+kills, name)
		}
	}
	next := func(n int) {
		for range n {
			said++
			w.alert(said)
		}
	}

	// Killed when all is told and saved: nothing comes again.
	kill := w.spawn(o)
	next(3)
	all(0)
	told := time.Now()
	require.Eventually(t, func() bool { return savedSince(o, told) }, 60*time.Second, 20*time.Millisecond)
	kill()
	for name := range w.told() {
		saved[name] = true
	}

	// Killed while Slack holds a message without an answer, then while it refuses.
	w.slack.hangs(true)
	kill = w.spawn(o)
	next(2)
	require.Eventually(t, func() bool { return w.slack.held() > 0 }, 60*time.Second, 20*time.Millisecond)
	kill()
	w.slack.hangs(false)
	w.slack.breaks(true)
	kill = w.spawn(o)
	require.Eventually(t, func() bool { return w.slack.refused() > 0 }, 60*time.Second, 20*time.Millisecond)
	kill()
	w.slack.breaks(false)

	// Killed in the midst of telling, with the broker killed as well.
	kill = w.spawn(o)
	next(4)
	require.Eventually(t, func() bool { return len(w.told()) > said-4 }, 60*time.Second, time.Millisecond)
	kill()
	w.broker.Kill()
	kill = w.spawn(o) // it waits for the broker
	w.broker.Restart()
	next(2)
	all(4)
	kill()

	for name := range saved {
		require.Equal(t, 1, w.told()[name], "%s was told and saved", name)
	}
}

// savedSince reports whether what was told was saved, begun after a time.
func savedSince(o Options, at time.Time) bool {
	return modified(o.Data + "/notify/told").After(at.Add(saveEvery))
}
