package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// measureEndToEnd runs everything in one process at a fixed rate, open loop:
// how long until an event is acknowledged, and until it is a row.
func measureEndToEnd(b *bench, r *report) error {
	b.close()
	fresh, err := newBench(b.bin)
	if err != nil {
		return err
	}
	*b = *fresh
	admin, err := freeAddr()
	if err != nil {
		return err
	}
	p, err := b.start("up", "--admin-addr", admin)
	if err != nil {
		return err
	}
	const size = 20
	l := newLoad(b.ingest, 64)
	if err := l.flood(8, 50, size); err != nil { // warm
		return err
	}
	l.took = nil
	var visible []time.Duration
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { visible = watchRows(b, stop) })
	if *pprof != "" {
		wg.Go(func() { profile(admin) })
	}
	cpu := p.cpu()
	sent, err := openLoop(l, size)
	close(stop)
	wg.Wait()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("everything in one process, %d events/s in bodies of %d for %s", *rate, size, *steady)
	r.add(name, "events/s offered", float64(sent)/steady.Seconds())
	r.add(name, "ingest ack p50 ms", percentile(l.took, 0.5))
	r.add(name, "ingest ack p99 ms", percentile(l.took, 0.99))
	r.add(name, "webhook to delivery row p50 ms", percentile(visible, 0.5))
	r.add(name, "webhook to delivery row p99 ms", percentile(visible, 0.99))
	r.add(name, "rows watched", float64(len(visible)))
	r.add(name, "CPU us/event (without engine)", (p.cpu()-cpu)/float64(sent)*1e6)
	r.add(name, "RSS MiB (without engine)", p.rss())
	return nil
}

// openLoop posts on the clock, whether or not earlier posts were answered.
func openLoop(l *load, size int) (int, error) {
	var wg sync.WaitGroup
	errs := make(chan error, 1)
	sent, began := 0, time.Now()
	for passed := time.Duration(0); passed < *steady; passed = time.Since(began) {
		if int64(sent) >= int64(passed)*int64(*rate)/int64(time.Second) { // a late turn is made up for, as senders do
			time.Sleep(time.Millisecond / 2)
			continue
		}
		body := l.body(size)
		sent += size
		wg.Go(func() {
			if err := l.post(body); err != nil {
				select {
				case errs <- err:
				default:
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return sent, err
	default:
		return sent, nil
	}
}

// watchRows posts an event of its own every now and then and asks SQL for the
// delivery it opens.
func watchRows(b *bench, stop chan struct{}) []time.Duration {
	var out []time.Duration
	for i := 0; ; i++ {
		select {
		case <-stop:
			return out
		default:
		}
		l := newLoad(b.ingest, 1)
		l.next.Store(int64(1)<<50 + int64(i))
		record := fmt.Sprint((int64(1)<<50 + int64(i) + 1) * 7919 % 50_000)
		before, err := b.sql("SELECT count() FROM deliveries_raw WHERE source_id = '" + record + "'")
		if err != nil {
			continue
		}
		started := time.Now()
		if l.post(l.body(1)) != nil {
			continue
		}
		for time.Since(started) < 20*time.Second {
			now, err := b.sql("SELECT count() FROM deliveries_raw WHERE source_id = '" + record + "'")
			if err == nil && now != before {
				out = append(out, time.Since(started))
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// profile keeps a CPU profile of most of the measurement.
func profile(admin string) {
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, int(steady.Seconds())-5))
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return
	}
	defer resp.Body.Close()
	file, err := os.Create(*pprof)
	if err == nil {
		_, err = io.Copy(file, resp.Body)
		_ = file.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
	}
}
