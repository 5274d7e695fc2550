// Command sink measures the sink role beside ClickHouse's own Kafka engine:
// the same events, from the same broker, into two tables of the same
// structure, on the same engine, one after the other in one run. The sink
// reads Plumbline's messages and counts each once; the Kafka engine reads the
// same events as JSONEachRow, and is allowed to lose or double some.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var (
	binary        = flag.String("bin", "../../../bin/plumbline", "the binary to measure")
	events        = flag.Int("events", 500_000, "attempts in each topic")
	kafkaSettings = flag.String("kafka-settings", "kafka_num_consumers = 2, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536", "of the Kafka engine")
	rounds        = flag.Int("rounds", 1, "times to repeat both, in turn")
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench sink:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bin, err := filepath.Abs(*binary)
	if err != nil {
		return err
	}
	w, err := newWorld(bin)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Printf("| round | who | rows/s | CPU us/row, all of it | of that the sink process | of that the engine | broker us/row | sink RSS MiB |\n|---|---|---|---|---|---|---|---|\n")
	for round := 1; round <= *rounds; round++ {
		if err := w.fill(ctx); err != nil {
			return fmt.Errorf("fill the topics: %w", err)
		}
		for _, part := range []struct {
			name string
			run  func() (result, error)
		}{{"plumbline sink", w.measureSink}, {"ClickHouse's Kafka engine", w.measureEngine}} {
			got, err := part.run()
			if err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
			n := float64(*events)
			fmt.Printf("| %d | %s | %.0f | %.2f | %.2f | %.2f | %.2f | %.0f |\n", round, part.name, n/got.seconds,
				(got.sink+got.engine)/n*1e6, got.sink/n*1e6, got.engine/n*1e6, got.broker/n*1e6, got.rss)
		}
	}
	size, err := w.sql("SELECT round(sum(data_compressed_bytes) / sum(rows), 1) FROM system.parts WHERE active AND table = 'attempts_raw'")
	if err != nil {
		return err
	}
	fmt.Printf("\n%s bytes a row of attempts on disk\n", size)
	return nil
}

// result is CPU seconds of each process, and wall seconds.
type result struct{ seconds, sink, engine, broker, rss float64 }

func await(limit time.Duration, done func() (bool, error)) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok, err := done(); ok || err != nil {
			return err
		}
	}
	return fmt.Errorf("not done within %s", limit)
}

// measureSink starts the role, which finds the whole topic waiting.
func (w *world) measureSink() (result, error) {
	engine, broker := cpu(w.enginePid), cpu(w.stores.Process.Pid)
	before, err := w.count("attempts_raw")
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	p, err := w.start("sink", "--instance", "bench")
	if err != nil {
		return result{}, err
	}
	defer end(p)
	peak := 0.
	err = await(5*time.Minute, func() (bool, error) {
		n, err := w.count("attempts_raw")
		peak = max(peak, rss(p.Process.Pid))
		return n-before >= *events, err
	})
	return result{
		time.Since(began).Seconds(), cpu(p.Process.Pid), cpu(w.enginePid) - engine, cpu(w.stores.Process.Pid) - broker, peak,
	}, err
}

// measureEngine creates the Kafka engine's table and its view. The queue has
// plain strings: it parses message by message, and low-cardinality columns
// made of one value each would cost it eight times as much.
func (w *world) measureEngine() (result, error) {
	columns, err := w.sql("SELECT arrayStringConcat(groupArray(concat('`', name, '` ', replaceRegexpAll(type, 'LowCardinality\\\\(String\\\\)', 'String'))), ', ') FROM " +
		"(SELECT name, type FROM system.columns WHERE database = 'plumbline' AND table = 'attempts_raw' AND name NOT LIKE '\\\\_%' ORDER BY position) FORMAT TSVRaw")
	if err != nil {
		return result{}, err
	}
	for _, statement := range []string{
		"DROP TABLE IF EXISTS bench_view", "DROP TABLE IF EXISTS bench_queue", "DROP TABLE IF EXISTS bench_rows",
		"CREATE TABLE bench_rows AS attempts_raw",
		fmt.Sprintf("CREATE TABLE bench_queue (%s) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', "+
			"kafka_group_name = 'bench-%d', kafka_format = 'JSONEachRow', %s",
			columns, w.kafka, jsonTopic, time.Now().UnixNano(), *kafkaSettings),
	} {
		if _, err := w.sql(statement); err != nil {
			return result{}, err
		}
	}
	engine, broker := cpu(w.enginePid), cpu(w.stores.Process.Pid)
	began := time.Now()
	_, err = w.sql("CREATE MATERIALIZED VIEW bench_view TO bench_rows AS SELECT *, _topic, '' AS _epoch, toUInt32(_partition) AS _partition, " +
		"_offset, toUInt64(0) AS _rank FROM bench_queue")
	if err != nil {
		return result{}, err
	}
	want := *events * w.filled
	err = await(5*time.Minute, func() (bool, error) {
		n, err := w.count("bench_rows")
		return n >= want, err
	})
	r := result{time.Since(began).Seconds(), 0, cpu(w.enginePid) - engine, cpu(w.stores.Process.Pid) - broker, 0}
	_, _ = w.sql("DROP TABLE bench_view")
	_, _ = w.sql("DROP TABLE bench_queue")
	r.engine /= float64(w.filled) // it has read every round's events
	r.seconds /= float64(w.filled)
	r.broker /= float64(w.filled)
	return r, err
}

func (w *world) count(table string) (int, error) {
	text, err := w.sql("SELECT count() FROM " + table)
	if err != nil {
		return 0, err
	}
	var n int
	_, err = fmt.Sscan(strings.TrimSpace(text), &n)
	return n, err
}
