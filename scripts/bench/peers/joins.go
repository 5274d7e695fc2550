package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/topic"
)

const joinedTopic = "bench.deliveries"

// joiner follows changes to their echoes, exactly once.
type joiner struct {
	name, group, output string
	start               func(w *world) (*process, error)
}

var joiners = []joiner{
	{"plumbline process", "plumbline-track", topic.Deliveries, func(w *world) (*process, error) {
		return w.run("process", nil, w.bin, "process", "--config", w.config(), "--data", filepath.Join(w.dir, "process"), "--admin-addr", w.listen)
	}},
	{"Kafka Streams", "bench-streams", joinedTopic, startStreams},
}

func startStreams(w *world) (*process, error) {
	libs, classes := filepath.Join(w.dir, "streams-libs"), filepath.Join(w.dir, "streams-classes")
	classpath := classes + ":" + filepath.Join(libs, "*")
	for _, step := range [][]string{
		{"mvn", "-B", "-q", "-f", "streams/pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=" + libs},
		{"javac", "--release", "17", "-cp", classpath, "-d", classes, "streams/Join.java"},
	} {
		if out, err := exec.Command(step[0], step[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", strings.Join(step, " "), err, out)
		}
	}
	env := []string{
		"BROKER=" + w.kafka, "INPUT=" + topic.Facts, "OUTPUT=" + joinedTopic, "GROUP=bench-streams", "STATE=" + filepath.Join(w.dir, "streams-state"),
	}
	return w.run("streams", env, "java", "-Xmx768m", "-XX:+UseG1GC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath, "Join")
}

// runJoins measures each joiner on a broker of its own, with the same facts.
func runJoins(bin string) error {
	fmt.Println("| program | data | joins/s | CPU us/join | broker CPU us/join | RSS MiB | RSS a delivery under way, bytes |\n|---|---|---|---|---|---|---|")
	for round := range *rounds {
		for _, j := range joiners {
			if *only != "" && *only != j.name {
				continue
			}
			if err := measureJoins(bin, j); err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, j.name, err)
			}
		}
	}
	return nil
}

// joining is one joiner under measurement.
type joining struct {
	joiner
	w    *world
	p    *process
	adm  *kadm.Client
	feed *facts
}

func measureJoins(bin string, j joiner) error {
	m, err := newJoining(bin, j)
	if err != nil {
		return err
	}
	defer m.close()
	return m.measure()
}

func newJoining(bin string, j joiner) (*joining, error) {
	w, err := newWorld(bin)
	if err != nil {
		return nil, err
	}
	m := &joining{joiner: j, w: w}
	if m.feed, err = newFacts(w.kafka); err == nil {
		m.adm = kadm.NewClient(m.feed.cl)
		_, err = m.adm.CreateTopics(context.Background(), int32(*partitions), 1, nil, joinedTopic)
	}
	if err == nil {
		m.p, err = j.start(w)
	}
	if err != nil {
		m.close()
	}
	return m, err
}

func (m *joining) close() {
	if m.p != nil {
		m.p.end()
	}
	if m.feed != nil {
		m.feed.cl.Close()
	}
	m.w.close()
}

// runRestore kills ours with n deliveries open and measures until it folds on:
// the partitions come back, their state is read, and a late change is committed.
func runRestore(bin string, n int) error {
	m, err := newJoining(bin, joiners[0])
	if err != nil {
		return err
	}
	defer m.close()
	for from := 0; from < n; from += 200_000 { // pieces that a paused member outlives
		to := min(from+200_000, n)
		if err := m.play(to-from, func() error { return m.feed.changes(from, to, n, n) }, "", 0); err != nil {
			return err
		}
	}
	_ = m.p.cmd.Process.Kill()
	_ = m.p.cmd.Wait()
	if err := m.feed.changes(n, n+100, 2*n, n+100); err != nil {
		return err
	}
	_, all, err := m.progress()
	if err != nil {
		return err
	}
	started := time.Now()
	if m.p, err = m.start(m.w); err != nil {
		return err
	}
	if err := m.until(all); err != nil {
		return err
	}
	took, cpu := time.Since(started).Seconds(), m.p.cpu()
	log, _ := os.ReadFile(m.p.log)
	fmt.Printf("| open deliveries | killed to folding on s | CPU s | RSS MiB |\n|---|---|---|---|\n| %d | %.1f | %.1f | %.0f |\n\n", n, took, cpu, m.p.rss())
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "restored") && strings.Contains(line, `"track"`) {
			fmt.Print(line)
		}
	}
	return nil
}

// measure warms the program, then plays two data sets: echoes that follow at
// once, and echoes that trail by as many changes as are then under way.
func (m *joining) measure() error {
	n, warm, trail := *joins, *joins/4, cmp.Or(*trail, *joins)
	const close = 5000
	if err := m.play(warm, func() error { return m.feed.changes(0, warm, close, 0) }, "", 0); err != nil {
		return err
	}
	if err := m.play(n, func() error { return m.feed.changes(warm, warm+n, close, warm) }, "echo 5,000 changes later", 0); err != nil {
		return err
	}
	before, from := m.p.rss(), warm+n
	if err := m.play(trail, func() error { return m.feed.changes(from, from+trail, trail, from) }, "", 0); err != nil {
		return err
	}
	each := (m.p.rss() - before) * (1 << 20) / float64(trail)
	data := fmt.Sprintf("echo %d changes later", trail)
	if err := m.play(n, func() error { return m.feed.changes(from+trail, from+trail+n, trail, from) }, data, each); err != nil {
		return err
	}
	return m.verify(warm + n + n - 2*close)
}

// play lets the program work off what feed writes, which is there before the
// clock starts to count: from a tenth of it done to all of it.
func (m *joining) play(n int, feed func() error, data string, each float64) error {
	if err := m.p.pause(); err != nil { // the feed is no part of it
		return err
	}
	if err := feed(); err != nil {
		return err
	}
	if err := m.p.resume(); err != nil {
		return err
	}
	done0, all, err := m.progress()
	if err != nil {
		return err
	}
	if err := m.until(done0 + (all-done0)/10); err != nil {
		return err
	}
	begun, _, err := m.progress()
	if err != nil {
		return err
	}
	profiled := m.profile(data)
	started, cpu, broker := time.Now(), m.p.cpu(), m.w.broker.cpu()
	if err := m.until(all); err != nil {
		return err
	}
	took, share := time.Since(started).Seconds(), float64(all-begun)/float64(all-done0)
	if err := profiled(); err != nil {
		return err
	}
	if data == "" {
		return nil
	}
	joined := float64(n) * share
	fmt.Printf("| %s | %s | %.0f | %.1f | %.1f | %.0f | %s |\n", m.name, data, joined/took, (m.p.cpu()-cpu)/joined*1e6,
		(m.w.broker.cpu()-broker)/joined*1e6, m.p.rss(), orDash(each))
	return nil
}

func orDash(bytes float64) string {
	if bytes == 0 {
		return ""
	}
	return strconv.FormatFloat(bytes, 'f', 0, 64)
}

func (m *joining) until(offset int64) error {
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		done, _, err := m.progress()
		if err != nil {
			return err
		}
		if done >= offset {
			return nil
		}
	}
	log, _ := os.ReadFile(m.p.log)
	return fmt.Errorf("not done in ten minutes: %s", log[max(0, len(log)-2000):])
}

// progress is how much of the facts the group has committed, and all of them.
func (m *joining) progress() (done, all int64, err error) {
	ends, err := m.adm.ListEndOffsets(context.Background(), topic.Facts)
	if err != nil {
		return 0, 0, err
	}
	at, err := m.adm.FetchOffsets(context.Background(), m.group)
	for end := time.Now().Add(30 * time.Second); err != nil; at, err = m.adm.FetchOffsets(context.Background(), m.group) {
		if time.Now().After(end) {
			return 0, 0, err
		}
		time.Sleep(100 * time.Millisecond) // a young broker has no coordinator yet
	}
	ends.Each(func(o kadm.ListedOffset) { all += o.Offset })
	at.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic.Facts {
			done += max(o.At, 0)
		}
	})
	return done, all, nil
}

// verify counts the joins in the committed output: fewer are a wrong program.
func (m *joining) verify(least int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(m.w.kafka), kgo.ConsumeTopics(m.output), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for joined := 0; joined < least; {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("%d of %d joins came out", joined, least)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if strings.Contains(string(r.Value), "applied") {
				joined++
			}
		})
	}
	return nil
}
