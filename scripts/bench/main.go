// Command bench measures the product from outside: it starts the real binary
// role by role, feeds it over HTTP as vendors do, and reads its metrics, its
// tables and /proc. It prints one report in Markdown and keeps the raw
// numbers as JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

var (
	binary = flag.String("bin", "bin/plumbline", "the binary to measure")
	out    = flag.String("out", "", "folder for report.md and report.json (default: only stdout)")
	events = flag.Int("events", 300_000, "events of the ingest, process and sink measurements")
	rate   = flag.Int("rate", 2_000, "events a second of the end-to-end measurement")
	steady = flag.Duration("steady", 30*time.Second, "length of the end-to-end measurement")
	only   = flag.String("only", "", "measure only this: ingest, process, sink (each needs those before it) or \"end to end\"")
	pprof  = flag.String("pprof", "", "file for a CPU profile of the end-to-end measurement")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	bin, err := filepath.Abs(*binary)
	if err != nil {
		return err
	}
	r := &report{Machine: machine(), At: time.Now().UTC().Format(time.RFC3339)}
	b, err := newBench(bin)
	if err != nil {
		return err
	}
	defer b.close()
	for _, step := range []struct {
		name string
		fn   func(*bench, *report) error
	}{
		{"ingest", measureIngest}, {"process", measureProcess}, {"sink", measureSink}, {"end to end", measureEndToEnd},
	} {
		if *only != "" && *only != step.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s ...\n", step.name)
		if err := step.fn(b, r); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	fmt.Print(r.markdown())
	if *out == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*out, "report.json"), raw, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*out, "report.md"), []byte(r.markdown()), 0o644)
}
