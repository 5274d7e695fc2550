// Command peers measures the ingest role beside two receivers that others
// would write: Fastify with kafkajs, and plain Go with net/http and franz-go.
// All of them check HubSpot's signature, write to one real broker and answer
// when it has acknowledged; the load, the machine and the run are the same.
// With -joins it measures the process role beside a Kafka Streams program.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

var (
	binary      = flag.String("bin", "../../../bin/plumbline", "our binary")
	jars        = flag.String("jars", "", "folder of the broker's jars; empty: scripts/kafka.sh where")
	rounds      = flag.Int("rounds", 2, "times to repeat all, in turn")
	connections = flag.Int("connections", 256, "that post at the same time")
	size        = flag.Int("size", 1, "events in a body")
	length      = flag.Duration("length", 8*time.Second, "of each measurement")
	only        = flag.String("only", "", "measure only this one")
	joins       = flag.Int("joins", 0, "measure process beside Kafka Streams instead, with this many joins a data set")
	trail       = flag.Int("trail", 0, "so many changes later the echo comes in the second data set; 0: -joins")
	partitions  = flag.Int("partitions", 4, "of every topic")
	many        = flag.Int("integrations", 1, "that the changes belong to, in turn")
	restore     = flag.Int("restore", 0, "measure instead how long process takes to come back with this many open deliveries, killed with -9")
	profile     = flag.String("profile", "", "folder for CPU and allocation profiles of our process role, one of each data set")
	embedded    = flag.Bool("embedded", false, "measure ours on the embedded broker instead, in a process of its own")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench peers:", err)
		os.Exit(1)
	}
}

func run() error {
	bin, err := filepath.Abs(*binary)
	if err != nil {
		return err
	}
	switch {
	case *joins > 0:
		return runJoins(bin)
	case *restore > 0:
		return runRestore(bin, *restore)
	}
	w, err := newWorld(bin)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Println("| round | receiver | req/s | events/s | server CPU us/req | broker CPU us/req | p50 ms | p99 ms | not 2xx |\n|---|---|---|---|---|---|---|---|---|")
	for round := 1; round <= *rounds; round++ {
		for _, r := range w.receivers() {
			if *only != "" && *only != r.name {
				continue
			}
			if err := w.measure(round, r); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return nil
}

// measure starts a receiver, warms it, and floods it.
func (w *world) measure(round int, r receiver) error {
	p, err := r.start()
	if err != nil {
		return err
	}
	defer p.end()
	if err := p.await(r.ready); err != nil {
		return err
	}
	l := newLoad(w.listen)
	if _, err := l.flood(2 * time.Second); err != nil {
		return err
	}
	cpu, broker := p.cpu(), w.broker.cpu()
	got, err := l.flood(*length)
	if err != nil {
		return err
	}
	cpu, broker = p.cpu()-cpu, w.broker.cpu()-broker
	n := float64(got.requests)
	fmt.Printf("| %d | %s | %.0f | %.0f | %.1f | %.1f | %.1f | %.1f | %d |\n", round, r.name, n/got.took.Seconds(),
		n*float64(*size)/got.took.Seconds(), cpu/n*1e6, broker/n*1e6, got.percentile(0.5), got.percentile(0.99), got.bad)
	return nil
}
