package timeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventsRunInOrderOfTimeThenOfPlanning(t *testing.T) {
	tl := New(time.UnixMilli(1000))
	var got []string
	say := func(s string) func() { return func() { got = append(got, s) } }
	tl.After(20*time.Millisecond, say("c"))
	tl.At(1010, say("a"))
	tl.At(1010, say("b"))
	tl.At(5, func() { got = append(got, "late is now"); tl.After(time.Second, say("d")) })
	for {
		if _, more := tl.Next(); !more {
			break
		}
		tl.Step()
	}
	require.Equal(t, []string{"late is now", "a", "b", "c", "d"}, got)
	require.EqualValues(t, 2000, tl.Now())
}

// Golden files of runs rest on these draws: a change of them is a change of
// every truth.
func TestDiceAreTheSameForEver(t *testing.T) {
	d := NewDice(1, "people")
	require.Equal(t, 651293996*time.Nanosecond, d.Wait(time.Second))
	first, again := NewDice(9, "a"), NewDice(9, "a")
	require.Equal(t, first.Word(), again.Word())
	require.NotEqual(t, NewDice(9, "a").Word(), NewDice(9, "b").Word())
	counts := [3]int{}
	for range 10_000 {
		counts[d.Weigh([]float64{1, 2, 7})]++
	}
	require.InDelta(t, 7000, counts[2], 200)
	require.InDelta(t, 1000, counts[0], 150)
}

// Time in which nothing happens passes, but never beyond what is planned.
func TestReachStopsAtTheNextEvent(t *testing.T) {
	tl := New(time.UnixMilli(1000))
	tl.At(2000, func() {})
	tl.Reach(1500)
	require.EqualValues(t, 1500, tl.Now())
	tl.Reach(3000)
	require.EqualValues(t, 2000, tl.Now())
	tl.Reach(100)
	require.EqualValues(t, 2000, tl.Now())
}
