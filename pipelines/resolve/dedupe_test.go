package resolve

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/schemas/event"
)

func TestIDsAreForgottenBeyondTheRetryHorizon(t *testing.T) {
	d := newDedupe(26, 1000)
	start := event.Time(1_790_000_000_000)
	require.Equal(t, isNew, d.check(start, "hs", "e1", 1))
	d.expire(start + 25*event.Hour)
	require.Equal(t, isRedelivery, d.check(start+25*event.Hour, "hs", "e1", 1))
	d.expire(start + 28*event.Hour)
	require.Equal(t, isNew, d.check(start+28*event.Hour, "hs", "e1", 1))
}

func TestOldestIDsGoWhenMemoryIsShort(t *testing.T) {
	d := newDedupe(26, 10)
	start := event.Time(1_790_000_000_000)
	for i := range 30 {
		d.check(start+event.Time(i)*event.Hour/4, "hs", fmt.Sprint(i), 1)
	}
	d.expire(start + 8*event.Hour)
	require.LessOrEqual(t, d.count, 10)
	require.Equal(t, isRedelivery, d.check(start+8*event.Hour, "hs", "29", 1), "the newest are kept")
	require.Equal(t, isNew, d.check(start+8*event.Hour, "hs", "0", 1), "the oldest are not")
}

// An hour with more ids than memory allows lets its own oldest go: nothing
// waits for the hour to end.
func TestBusyHourStaysWithinItsMemory(t *testing.T) {
	d := newDedupe(26, 3*blockLen)
	start := event.Time(1_790_000_000_000)
	for i := range 20 * blockLen {
		d.check(start, "hs", fmt.Sprint(i), 1)
		d.expire(start)
		require.LessOrEqual(t, d.count, 4*blockLen)
	}
	require.Len(t, d.seen, d.count)
	require.Equal(t, isRedelivery, d.check(start, "hs", fmt.Sprint(20*blockLen-1), 1), "the newest are kept")
	require.Equal(t, isNew, d.check(start, "hs", "0", 1), "the oldest are not")
}

func TestSameIDOfAnotherSource(t *testing.T) {
	d := newDedupe(26, 10)
	require.Equal(t, isNew, d.check(1, "hs", "e1", 1))
	require.Equal(t, isNew, d.check(1, "sf", "e1", 1))
	require.Equal(t, isConflict, d.check(1, "sf", "e1", 2))
	require.Equal(t, isRedelivery, d.check(1, "sf", "e1", 2))
	require.Equal(t, isRedelivery, d.check(1, "sf", "e1", 1))
}

// TestSavedIsLoaded saves after random steps, with walks over everything in
// between, and loads the log into a fresh set: both answer alike.
func TestSavedIsLoaded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, log := newDedupe(2, 700), [][2]string{}
		emit := func(key string, value []byte) error {
			if value == nil {
				log = append(log, [2]string{key, "gone"})
			} else {
				log = append(log, [2]string{key, "=" + string(value)})
			}
			return nil
		}
		now := event.Time(1_790_000_000_000)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += event.Time(rapid.IntRange(0, event.Hour).Draw(t, "pass"))
			for range rapid.IntRange(0, 300).Draw(t, "events") {
				d.check(now, "hs", fmt.Sprint(rapid.IntRange(0, 5000).Draw(t, "id")), 1)
			}
			d.expire(now)
			require.NoError(t, d.save(emit))
			_, err := d.rewrite(rapid.IntRange(0, 3).Draw(t, "rewrite"), emit)
			require.NoError(t, err)
		}
		back := newDedupe(2, 700)
		for _, e := range log {
			value := []byte(nil)
			if body, ok := strings.CutPrefix(e[1], "="); ok {
				value = []byte(body)
			}
			require.NoError(t, back.load(e[0], value))
		}
		require.Equal(t, d.seen, back.seen)
		require.Equal(t, d.count, back.count)
	})
}

func FuzzLoad(f *testing.F) {
	f.Add("seen/1/0", []byte("123456789012"))
	f.Add("seen/1", []byte{})
	f.Add("seen/9999999999999/99999999", []byte("123456789012"))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		d := newDedupe(2, 10)
		if d.load(key, value) == nil {
			require.NoError(t, d.save(func(string, []byte) error { return nil }))
		}
	})
}
