package process

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// BenchmarkGrowth is track and watch without a broker, on one of four
// partitions that share 4,000 changes a second: what a join costs by the number
// of integrations that the same changes belong to.
func BenchmarkGrowth(b *testing.B) {
	for _, n := range []int{1, 30, 1000} {
		b.Run(fmt.Sprintf("integrations=%d", n), func(b *testing.B) { newGrowth(n).run(b) })
	}
}

// growth is the two stages, and what each spent.
type growth struct {
	many           int
	track, watch   *stream.Task
	offset, told   int64
	tracks, watchs time.Duration
	partials       int
	written, saved int
	buf            []byte
}

func newGrowth(many int) *growth {
	var all []config.Integration
	for i := range many {
		in := benchIntegrations()[0]
		in.ID += "-" + strconv.Itoa(i)
		all = append(all, in)
	}
	o := StageOptions{Integrations: all}
	return &growth{many: many, track: stream.NewTask(track(o), 0), watch: stream.NewTask(watch(o), 0)}
}

const (
	growthRate  = 1000 // changes a second
	growthTrail = 2 * growthRate
)

func (g *growth) run(b *testing.B) {
	b.ReportAllocs()
	n := 0
	for range 10 { // a state of affairs, not a start
		g.second(b, n)
		n += growthRate
	}
	g.tracks, g.watchs, g.partials, g.written, g.saved = 0, 0, 0, 0, 0
	from := n
	for b.Loop() { // an iteration is a second of stream time
		g.second(b, n)
		n += growthRate
	}
	joins := float64(n - from)
	b.ReportMetric(float64(g.tracks.Nanoseconds())/joins, "track-ns/join")
	b.ReportMetric(float64(g.watchs.Nanoseconds())/joins, "watch-ns/join")
	b.ReportMetric(float64(g.partials)/joins, "partials/join")
	b.ReportMetric(float64(g.written)/joins, "B-partials/join")
	b.ReportMetric(float64(g.saved)/joins, "B-saved/join")
}

// second folds what a second of stream time brings, and saves ten times.
func (g *growth) second(b *testing.B, n int) {
	b.StopTimer()
	var facts [][]byte
	var keys []string
	for i := n; i < n+growthRate; i++ {
		for _, x := range []struct {
			i    int
			side string
		}{{i, event.Source}, {i - growthTrail, event.Target}} {
			if x.i >= 0 {
				facts = append(facts, growthFact(b, x.i, x.side, g.many))
				keys = append(keys, event.RecordKey(growthIntegration(x.i, g.many), "contact", benchKey(x.i)))
			}
		}
	}
	b.StartTimer()
	started := cpuTime()
	var partials []stream.Output
	var out stream.Out
	step := func(typ event.Type, key string, raw []byte) {
		ev, err := event.DecodeShared(typ, bytes.Clone(raw))
		require.NoError(b, err)
		g.track.Process(&stream.Record{Topic: topic.Facts, Offset: g.offset, Key: key, Event: ev, Cause: topic.Cause{Topic: topic.Intake, Offset: g.offset}}, &out)
		g.offset++
		for i := range out.List {
			g.buf, err = event.Encode(g.buf[:0], out.List[i].Event)
			require.NoError(b, err)
			if out.List[i].Topic == topic.Partials {
				g.written += len(g.buf)
				o := out.List[i]
				o.Event, err = event.Decode(o.Event.EventType(), bytes.Clone(g.buf))
				require.NoError(b, err)
				partials = append(partials, o)
			}
		}
	}
	save := func(_ string, value []byte) error { g.saved += len(value); return nil }
	for i := range facts {
		step(event.TypeChange, keys[i], facts[i])
		if i%(len(facts)/10) == 0 {
			_, err := g.track.Save(save)
			require.NoError(b, err)
		}
	}
	tick := event.Tick{At: growthTime(n + growthRate)}
	raw, err := event.Encode(nil, &tick)
	require.NoError(b, err)
	step(event.TypeTick, "", raw)
	g.tracks += cpuTime() - started
	g.follow(b, partials, &tick, save)
}

// follow is what watch makes of them.
func (g *growth) follow(b *testing.B, partials []stream.Output, tick *event.Tick, save stream.Emit) {
	started := cpuTime()
	var out stream.Out
	for i := range partials {
		g.watch.Process(&stream.Record{Topic: topic.Partials, Offset: g.told, Key: partials[i].Key, Event: partials[i].Event}, &out)
		g.told++
	}
	g.watch.Process(&stream.Record{Topic: topic.Partials, Offset: g.told, Event: tick}, &out)
	g.told++
	_, err := g.watch.Save(save)
	require.NoError(b, err)
	g.watchs += cpuTime() - started
	g.partials += len(partials)
}

func growthIntegration(i, many int) string { return "hubspot-salesforce-" + strconv.Itoa(i%many) }

func growthTime(n int) event.Time { return benchTime(0) + event.Time(n*1000/growthRate) }

func growthFact(b *testing.B, i int, side string, many int) []byte {
	raw := benchFact(b, i, side)
	c := new(event.Change)
	_, err := c.UnmarshalMsg(raw)
	require.NoError(b, err)
	c.Integration = growthIntegration(i, many)
	c.ChangedAt, c.ReceivedAt = growthTime(i), growthTime(i)+200
	if side == event.Target {
		c.ChangedAt, c.ReceivedAt = growthTime(i+growthTrail), growthTime(i+growthTrail)+300
	}
	raw, err = event.Encode(nil, c)
	require.NoError(b, err)
	return raw
}
