package process

import (
	"bytes"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

var growthOpen = flag.Int("growth.open", 0, "BenchmarkGrowth with this many deliveries under way too: 3000000 takes 3 GB and minutes")

// BenchmarkGrowth is track and watch without a broker, on one of four
// partitions that share 4,000 changes a second: what a join costs by the number
// of integrations that the same changes belong to, and by how many deliveries
// are under way in the partition.
func BenchmarkGrowth(b *testing.B) {
	for _, n := range []int{1, 30, 1000} {
		b.Run(fmt.Sprintf("integrations=%d", n), func(b *testing.B) { newGrowth(n, 2*growthRate).run(b) })
	}
	for _, n := range []int{1000, 30_000, 250_000, *growthOpen} {
		if n == 0 {
			continue
		}
		b.Run(fmt.Sprintf("open=%d", n), func(b *testing.B) { newGrowth(1, n).run(b) })
	}
}

// growth is the two stages, and what each spent.
type growth struct {
	many, trail    int
	track, watch   *stream.Task
	offset, told   int64
	tracks, judges time.Duration
	partials       int
	written, saved int
	buf            []byte
}

func newGrowth(many, trail int) *growth {
	var all []config.Integration
	for i := range many {
		in := benchIntegrations()[0]
		in.ID += "-" + strconv.Itoa(i)
		all = append(all, in)
	}
	o := StageOptions{Integrations: all}
	return &growth{many: many, trail: trail, track: stream.NewTask(track(o), 0), watch: stream.NewTask(watch(o), 0)}
}

// growthRate is how many changes a second of stream time brings.
const growthRate = 1000

func (g *growth) run(b *testing.B) {
	b.ReportAllocs()
	n := 0
	for n < g.trail+10*growthRate { // a state of affairs, not a start
		g.second(b, n)
		n += growthRate
	}
	g.tracks, g.judges, g.partials, g.written, g.saved = 0, 0, 0, 0, 0
	from := n
	for b.Loop() { // an iteration is a second of stream time
		g.second(b, n)
		n += growthRate
	}
	joins := float64(n - from)
	b.ReportMetric(float64(g.tracks.Nanoseconds())/joins, "track-ns/join")
	b.ReportMetric(float64(g.judges.Nanoseconds())/joins, "watch-ns/join")
	b.ReportMetric(float64(g.partials)/joins, "partials/join")
	b.ReportMetric(float64(g.written)/joins, "B-partials/join")
	b.ReportMetric(float64(g.saved)/joins, "B-saved/join")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/float64(g.trail), "B-live/open")
	b.ReportMetric(float64(m.HeapSys-m.HeapReleased)/float64(g.trail), "B-held/open")
	runtime.KeepAlive(g)
}

// second folds what a second of stream time brings, and saves ten times.
func (g *growth) second(b *testing.B, n int) {
	b.StopTimer()
	facts := g.facts(b, n)
	b.StartTimer()
	started := cpuTime()
	var partials []stream.Output
	for i := range facts {
		partials = g.fold(b, event.TypeChange, facts[i], partials)
		if i%(len(facts)/10) == 0 {
			_, err := g.track.Save(g.save)
			require.NoError(b, err)
		}
	}
	tick := event.Tick{At: growthTime(n + growthRate)}
	raw, err := event.Encode(nil, &tick)
	require.NoError(b, err)
	partials = g.fold(b, event.TypeTick, fact{raw: raw}, partials)
	g.tracks += cpuTime() - started
	g.follow(b, partials, &tick)
}

func (g *growth) save(_ string, value []byte) error {
	g.saved += len(value)
	return nil
}

type fact struct {
	key string
	raw []byte
}

func (g *growth) facts(b *testing.B, n int) (out []fact) {
	for i := n; i < n+growthRate; i++ {
		out = append(out, g.fact(b, i, event.Source))
		if i >= g.trail {
			out = append(out, g.fact(b, i-g.trail, event.Target))
		}
	}
	return out
}

// fold folds a fact and adds the partials that come of it, as watch reads them.
func (g *growth) fold(b *testing.B, typ event.Type, f fact, partials []stream.Output) []stream.Output {
	ev, err := event.DecodeShared(typ, bytes.Clone(f.raw))
	require.NoError(b, err)
	var out stream.Out
	g.track.Process(&stream.Record{
		Topic: topic.Facts, Offset: g.offset, Key: f.key, Event: ev, Cause: topic.Cause{Topic: topic.Intake, Offset: g.offset},
	}, &out)
	g.offset++
	for _, o := range out.List {
		g.buf, err = event.Encode(g.buf[:0], o.Event)
		require.NoError(b, err)
		if o.Topic == topic.Partials {
			g.written += len(g.buf)
			o.Event, err = event.Decode(o.Event.EventType(), bytes.Clone(g.buf))
			require.NoError(b, err)
			partials = append(partials, o)
		}
	}
	return partials
}

// follow is what watch makes of them.
func (g *growth) follow(b *testing.B, partials []stream.Output, tick *event.Tick) {
	started := cpuTime()
	var out stream.Out
	for i := range partials {
		g.watch.Process(&stream.Record{Topic: topic.Partials, Offset: g.told, Key: partials[i].Key, Event: partials[i].Event}, &out)
		g.told++
	}
	g.watch.Process(&stream.Record{Topic: topic.Partials, Offset: g.told, Event: tick}, &out)
	g.told++
	_, err := g.watch.Save(g.save)
	require.NoError(b, err)
	g.judges += cpuTime() - started
	g.partials += len(partials)
}

func growthTime(n int) event.Time { return benchTime(0) + event.Time(n*1000/growthRate) }

func (g *growth) fact(b *testing.B, i int, side string) fact {
	c := new(event.Change)
	_, err := c.UnmarshalMsg(benchFact(b, i, side))
	require.NoError(b, err)
	c.Integration = "hubspot-salesforce-" + strconv.Itoa(i%g.many)
	c.ChangedAt, c.ReceivedAt = growthTime(i), growthTime(i)+200
	if side == event.Target {
		c.ChangedAt, c.ReceivedAt = growthTime(i+g.trail), growthTime(i+g.trail)+300
	}
	raw, err := event.Encode(nil, c)
	require.NoError(b, err)
	return fact{event.RecordKey(c.Integration, "contact", benchKey(i)), raw}
}
