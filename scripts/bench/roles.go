package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// measureIngest fills intake through the door, first with bodies of 100, then
// with single events. Broker and engine run in a process of their own.
func measureIngest(b *bench, r *report) error {
	if _, err := b.start("up", "--roles", "kafka,clickhouse"); err != nil {
		return err
	}
	p, err := b.start("ingest")
	if err != nil {
		return err
	}
	defer p.end()
	for _, shape := range []struct{ size, connections, requests int }{{100, 32, *events / 100}, {1, 256, *events / 10}} {
		l := newLoad(b.ingest, shape.connections)
		l.next.Store(int64(shape.size) << 40) // other event ids than the other shape's
		cpu, started := p.cpu(), time.Now()
		if err := l.flood(shape.connections, shape.requests, shape.size); err != nil {
			return err
		}
		took := time.Since(started).Seconds()
		n := float64(shape.requests * shape.size)
		name := fmt.Sprintf("ingest, signed bodies of %d, %d connections, embedded broker with fsync", shape.size, shape.connections)
		r.add(name, "events/s", n/took)
		r.add(name, "CPU us/event", (p.cpu()-cpu)/n*1e6)
		r.add(name, "ack p50 ms", percentile(l.took, 0.5))
		r.add(name, "ack p99 ms", percentile(l.took, 0.99))
		b.ingested += shape.requests * shape.size
	}
	return nil
}

// measureProcess drains what ingest left.
func measureProcess(b *bench, r *report) error {
	started := time.Now()
	p, err := b.start("process")
	if err != nil {
		return err
	}
	defer p.end()
	n := float64(b.ingested)
	err = await(5*time.Minute, func() bool {
		return p.metric("plumbline_process_inputs_total", `stage="track"`) >= n
	})
	if err != nil {
		return err
	}
	took := time.Since(started).Seconds()
	const name = "process, resolve + track, exactly once, 4 partitions, embedded broker with fsync"
	r.add(name, "events/s", n/took)
	r.add(name, "CPU us/event", p.cpu()/n*1e6)
	r.add(name, "open deliveries", n)
	r.add(name, "RSS MiB", p.rss())
	return nil
}

// measureSink stores what process left: a row a change, a row a delivery state.
func measureSink(b *bench, r *report) error {
	started := time.Now()
	p, err := b.start("sink")
	if err != nil {
		return err
	}
	defer p.end()
	var rows float64
	err = await(5*time.Minute, func() bool {
		changes, deliveries := b.count("changes_raw"), b.count("deliveries_raw")
		rows = changes + deliveries
		return changes >= float64(b.ingested) && deliveries >= float64(b.ingested)
	})
	if err != nil {
		return err
	}
	took := time.Since(started).Seconds()
	const name = "sink, changes + deliveries, counted once, embedded engine"
	r.add(name, "rows/s", rows/took)
	r.add(name, "CPU us/row (sink process)", p.cpu()/rows*1e6)
	r.add(name, "RSS MiB", p.rss())
	return nil
}

func await(limit time.Duration, done func() bool) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if done() {
			return nil
		}
	}
	return fmt.Errorf("not done within %s", limit)
}

func (b *bench) count(table string) float64 {
	text, err := b.sql("SELECT count() FROM " + table)
	if err != nil {
		return -1
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return n
}

func (b *bench) sql(query string) (string, error) {
	resp, err := http.Get("http://" + b.clickhouse + "/?database=plumbline&query=" + url.QueryEscape(query))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%d %s %w", resp.StatusCode, raw, err)
	}
	return strings.TrimSpace(string(raw)), nil
}
