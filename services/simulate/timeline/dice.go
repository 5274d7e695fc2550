package timeline

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Dice draws for one part of the world. Each part has dice of its own, so that
// one more draw in a part changes no other part of the run.
type Dice struct{ r *rand.Rand }

// NewDice makes the dice of a named part.
func NewDice(seed uint64, part string) *Dice {
	sum := sha256.Sum256([]byte(strconv.FormatUint(seed, 10) + "/" + part))
	return &Dice{rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))}
}

// Chance is true with probability p.
func (d *Dice) Chance(p float64) bool { return d.r.Float64() < p }

// N is in [0, n).
func (d *Dice) N(n int) int { return d.r.IntN(n) }

// Between is in [low, high].
func (d *Dice) Between(low, high int) int { return low + d.r.IntN(high-low+1) }

// Word is 64 random bits.
func (d *Dice) Word() uint64 { return d.r.Uint64() }

// Wait is how long until the next of events that come independently.
func (d *Dice) Wait(mean time.Duration) time.Duration {
	return time.Duration(d.r.ExpFloat64() * float64(mean))
}

// Around is log-normal about a median: what people and networks take.
func (d *Dice) Around(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(min(d.r.NormFloat64()*sigma, 5)))
}

// Pick is one of the list.
func Pick[T any](d *Dice, list []T) T { return list[d.N(len(list))] }

// Weigh is an index, each as likely as its weight says.
func (d *Dice) Weigh(weights []float64) int {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	x := d.r.Float64() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// Shuffle changes the order of n things.
func (d *Dice) Shuffle(n int, swap func(i, j int)) { d.r.Shuffle(n, swap) }
