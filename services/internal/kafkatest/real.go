package kafkatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"plumbline.dev/services/internal/loopback"
)

// clusterID is any valid one: a test cluster meets no other.
const clusterID = "cGx1bWJsaW5lLXRlc3RzIQ"

// Real starts a real Kafka broker in KRaft mode, in its own process, with its
// data in a temporary folder. It ends with the test.
func Real(t testing.TB) Broker {
	t.Helper()
	p := startReal(t, t.TempDir())
	t.Cleanup(p.Stop)
	return p
}

var shared struct {
	sync.Mutex
	broker *process
	dir    string
}

// Shared is one real broker for the whole test binary, for tests that only
// use topics and groups of their own. Nobody may kill it; Main stops it.
func Shared(t testing.TB) Broker {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.broker == nil {
		dir, err := os.MkdirTemp("", "plumbline-kafka-")
		if err != nil {
			t.Fatalf("kafkatest: %v", err)
		}
		shared.dir = dir
		shared.broker = startReal(t, dir)
	}
	return shared.broker
}

func stopShared() {
	shared.Lock()
	defer shared.Unlock()
	if shared.broker != nil {
		shared.broker.Kill() // its data is thrown away, so there is no order to keep
		_ = os.RemoveAll(shared.dir)
	}
}

func startReal(t testing.TB, dir string) *process {
	t.Helper()
	return startWith(t, dir, func(int, int) string { return "" })
}

// startWith starts a broker with more properties, given its two ports, and
// what its storage is formatted with.
func startWith(t testing.TB, dir string, more func(port, controller int) string, formatted ...string) *process {
	t.Helper()
	classpath := filepath.Join(jars(t), "*")
	java, err := exec.LookPath("java")
	if err != nil {
		t.Fatal("kafkatest: java is not in PATH: a real broker needs a Java runtime, 17 or newer")
	}
	port := loopback.Port(t)
	config := writeConfig(t, dir, port, more)
	format(t, java, classpath, config, formatted...)
	p := &process{t: t, addr: local(port), start: func() *exec.Cmd {
		// Java cannot watch for its parent's end, so a shell does.
		cmd := exec.Command("/bin/sh", "-c", underParent, "broker", java, //nolint:gosec // found in PATH
			"-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
			"-cp", classpath, "kafka.Kafka", config)
		cmd.Dir = dir
		return cmd
	}}
	p.run()
	return p
}

// underParent runs its arguments until they end, or kills them when descriptor
// 3 closes. The trap hands an orderly stop on and still waits for its end.
const underParent = `"$@" 3<&- & child=$!
{ read -r _ <&3; kill -9 $child; } 2>/dev/null &
trap : TERM
wait $child
while kill -0 $child 2>/dev/null; do wait $child; done`

func format(t testing.TB, java, classpath, config string, more ...string) {
	t.Helper()
	args := append([]string{
		"-Xmx256m", "-cp", classpath, "kafka.tools.StorageTool",
		"format", "--cluster-id", clusterID, "--config", config, "--feature", "transaction.version=2",
	}, more...)
	out, err := exec.Command(java, args...).CombinedOutput() //nolint:gosec // found in PATH
	if err != nil {
		t.Fatalf("kafkatest: format storage: %v\n%s", err, out)
	}
}

func writeConfig(t testing.TB, dir string, port int, more func(port, controller int) string) string {
	t.Helper()
	path := filepath.Join(dir, "server.properties")
	controller := loopback.Port(t)
	text := fmt.Sprintf(properties, port, controller, filepath.Join(dir, "data")) + more(port, controller)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	return path
}

// properties make a cluster of one: every internal topic has one replica and
// few partitions, a group forms without waiting for more members, and a broker
// that was killed is let in again before long.
const properties = `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:%[2]d
log.dirs=%[3]s
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
`
