package main

import "fmt"

// work is one thing that has a number to reach.
type work struct {
	Name string   `json:"name"`
	Aim  string   `json:"aim"`
	Dir  string   `json:"dir"` // from the repository's root
	Run  []string `json:"run"` // prints its figures; {rounds} is how often it repeats them itself
	Once bool     `json:"-"`   // it is too long to be repeated
}

const peers = "scripts/bench/peers"

func ofPeers(args ...string) []string {
	return append([]string{"go", "run", ".", "-bin", "../../../bin/plumbline"}, args...)
}

func growth(name string, args ...string) work {
	return work{Name: "growth: " + name, Aim: "CPU a join stays flat", Dir: peers, Run: ofPeers(append([]string{"-rounds", "1", "-only", "plumbline process"}, args...)...), Once: true}
}

// everything in the order of the report.
func everything() []work {
	all := []work{
		{
			Name: "ingest, single signed events, a real broker's ack, 256 connections", Dir: peers, Run: ofPeers("-rounds", "{rounds}"),
			Aim: "40,000 req/s, ahead of the naive Go receiver, 3 times Fastify with kafkajs",
		},
		{
			Name: "ingest, signed bodies of 100, a real broker's ack, 32 connections", Dir: peers,
			Run: ofPeers("-rounds", "{rounds}", "-size", "100", "-connections", "32"), Aim: "250,000 events/s",
		},
		{
			Name: "ingest, single signed events, embedded broker with fsync", Dir: peers, Run: ofPeers("-rounds", "{rounds}", "-embedded"), Aim: "15,000 req/s",
		},
		{
			Name: "ingest, signed bodies of 100, embedded broker with fsync", Dir: peers,
			Run: ofPeers("-rounds", "{rounds}", "-embedded", "-size", "100", "-connections", "32"), Aim: "250,000 events/s",
		},
		{
			Name: "process, exactly once", Dir: peers, Run: ofPeers("-rounds", "{rounds}", "-joins", "150000"),
			Aim: "a third of Kafka Streams' CPU a join, 3 times its joins/s, 1 KB RSS an open delivery",
		},
		{
			Name: "process, a million open deliveries come back", Dir: peers, Run: ofPeers("-restore", "1000000"), Aim: "10 s", Once: true,
		},
		{
			Name: "sink, counted once", Dir: "scripts/bench/sink", Run: ofPeers("-rounds", "{rounds}"),
			Aim: "1.5 times ClickHouse's own Kafka engine, at no more CPU a row",
		},
	}
	for _, rate := range []int{2_000, 10_000, 20_000} {
		all = append(all, work{
			Name: fmt.Sprintf("end to end, everything in one process, %d events/s", rate), Dir: "scripts/bench", Aim: "at 20,000 events/s: p50 under 1 s, p99 under 3 s, ack p99 under 50 ms",
			Run: []string{"go", "run", ".", "-bin", "../../bin/plumbline", "-only", "end to end", "-rate", fmt.Sprint(rate)},
		})
	}
	all = append(all,
		work{
			Name: "classify one error", Dir: "pipelines", Aim: "2 us, no allocation on the common path",
			Run: []string{"go", "test", "./classify", "-run", "^$", "-bench", ".", "-benchmem", "-count", "{rounds}"},
		},
		work{
			Name: "diff, 12 fields, Parquet", Dir: ".", Once: true, Aim: "10 M equal rows in 10 s, 1 % different in 15 s, 5 times reladiff, twice a plain DuckDB join",
			Run: []string{"scripts/bench-diff.sh", "--cases", "1e6:0,1e6:1,10e6:0,10e6:1"},
		},
		work{Name: "views and console, 1 M attempts", Dir: ".", Aim: "overview p95 100 ms at 100 M", Run: []string{"scripts/bench/views.sh", "1000000"}, Once: true},
		work{Name: "views and console, 10 M attempts", Dir: ".", Aim: "overview p95 100 ms at 100 M", Run: []string{"scripts/bench/views.sh", "10000000"}, Once: true},
	)
	for _, n := range []int{1, 4, 16, 64} {
		all = append(all, growth(fmt.Sprintf("%d partitions", n), "-joins", "100000", "-partitions", fmt.Sprint(n)))
	}
	for _, n := range []int{1, 30, 1000} {
		all = append(all, growth(fmt.Sprintf("%d integrations", n), "-joins", "100000", "-integrations", fmt.Sprint(n)))
	}
	for _, n := range []int{1_000, 30_000, 1_000_000} {
		all = append(all, growth(fmt.Sprintf("%d open deliveries", n), "-joins", "100000", "-trail", fmt.Sprint(n)))
	}
	return all
}
