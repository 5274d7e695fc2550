package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// world is the broker that all receivers share, and where they listen.
type world struct {
	bin, dir, listen, kafka string
	broker                  *process
}

// receiver is one of those measured; an empty ready is a port that opens.
type receiver struct {
	name, ready string
	start       func() (*process, error)
}

const topicName = "plumbline.intake"

func newWorld(bin string) (*world, error) {
	dir, err := os.MkdirTemp("", "plumbline-peers-")
	if err != nil {
		return nil, err
	}
	w := &world{bin: bin, dir: dir, listen: freePort(), kafka: freePort()}
	start := w.startKafka
	if *embedded {
		start = w.startEmbedded
	}
	if err := errors.Join(w.writeConfig(), start()); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	if w.broker != nil {
		w.broker.end()
	}
	_ = os.RemoveAll(w.dir)
}

func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer l.Close()
	return l.Addr().String()
}

func (w *world) writeConfig() error {
	brokers := "[" + w.kafka + "]"
	if *embedded {
		brokers = "embedded"
	}
	text := fmt.Sprintf(`listen: { ingest: %q, kafka: %q, console: "127.0.0.1:0", clickhouse: "127.0.0.1:0" }
kafka: { brokers: %s, partitions: %d }
hooks:
  - { id: hubspot-main, source: hubspot, secrets: [env:SECRET], public_url: %q }
integrations:
%s`, w.listen, w.kafka, brokers, *partitions, publicURL, configured())
	return os.WriteFile(w.config(), []byte(text), 0o600)
}

func (w *world) config() string { return filepath.Join(w.dir, "plumbline.yaml") }

const properties = `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://%[1]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s
controller.listener.names=CONTROLLER
controller.quorum.voters=1@%[2]s
log.dirs=%[3]s
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
`

func (w *world) startKafka() error {
	folder := *jars
	if folder == "" {
		out, err := exec.Command("../../kafka.sh", "where").Output()
		if err != nil {
			return fmt.Errorf("find the broker's jars: %w", err)
		}
		folder = strings.TrimSpace(string(out))
	}
	config := filepath.Join(w.dir, "server.properties")
	if err := os.WriteFile(config, fmt.Appendf(nil, properties, w.kafka, freePort(), filepath.Join(w.dir, "kafka")), 0o600); err != nil {
		return err
	}
	classpath := filepath.Join(folder, "*")
	if out, err := exec.Command("java", "-Xmx256m", "-cp", classpath, "kafka.tools.StorageTool", "format",
		"--cluster-id", "cGx1bWJsaW5lLXBlZXJzIQ", "--config", config).CombinedOutput(); err != nil {
		return fmt.Errorf("format the broker's folder: %w: %s", err, out)
	}
	var err error
	w.broker, err = w.run("kafka", nil, "java", "-Xmx768m", "-cp", classpath, "kafka.Kafka", config)
	if err != nil {
		return err
	}
	if err := w.broker.awaitPort(w.kafka); err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // the port opens before the broker serves
	return w.applyTopics()
}

func (w *world) applyTopics() error {
	apply, err := w.run("topics", nil, w.bin, "topics", "apply", "--config", w.config())
	if err != nil {
		return err
	}
	return apply.cmd.Wait()
}

func (w *world) startEmbedded() error {
	var err error
	w.broker, err = w.run("kafka", nil, w.bin, "up", "--roles", "kafka", "--config", w.config(), "--data", filepath.Join(w.dir, "kafka"))
	if err != nil {
		return err
	}
	if err := w.broker.awaitPort(w.kafka); err != nil {
		return err
	}
	return w.applyTopics()
}

func (w *world) receivers() []receiver {
	env := []string{"LISTEN=" + w.listen, "BROKER=" + w.kafka, "TOPIC=" + topicName, "SECRET=" + secret, "PUBLIC_URL=" + publicURL}
	ours := receiver{"plumbline", "http://" + w.listen + "/readyz", func() (*process, error) {
		return w.run("plumbline", env, w.bin, "ingest", "--config", w.config(), "--data", filepath.Join(w.dir, "ingest"))
	}}
	if *embedded {
		return []receiver{ours}
	}
	return []receiver{
		ours,
		{"naive Go", "", func() (*process, error) { return w.naive(env) }},
		{"HTTP alone, nothing checked or kept", "", func() (*process, error) { return w.naive(append(env, "BROKER=")) }},
		{"Fastify + kafkajs", "", func() (*process, error) {
			install := exec.Command("npm", "ci", "--silent", "--no-audit", "--no-fund")
			install.Dir = "fastify"
			if out, err := install.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("%w: %s", err, out)
			}
			return w.run("fastify", append(env, "NODE_ENV=production"), "node", "fastify/server.mjs")
		}},
	}
}

func (w *world) naive(env []string) (*process, error) {
	path := filepath.Join(w.dir, "naive")
	build := exec.Command("go", "build", "-o", path, "./naive")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return w.run("naive", env, path)
}

// process is one program under measurement.
type process struct {
	cmd *exec.Cmd
	w   *world
	log string
}

func (w *world) run(name string, env []string, program string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), log, log
	cmd.Env = append(cmd.Env, "SECRET="+secret)
	return &process{cmd, w, log.Name()}, cmd.Start()
}

func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

// pause and resume keep the program from working while its input is written.
func (p *process) pause() error  { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// rss is resident memory in MiB.
func (p *process) rss() float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// cpu is the seconds the process has used.
func (p *process) cpu() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

func (p *process) await(url string) error {
	if url == "" {
		return p.awaitPort(p.w.listen)
	}
	return p.wait(func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (p *process) awaitPort(addr string) error {
	return p.wait(func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

func (p *process) wait(ready func() bool) error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ready() {
			return nil
		}
	}
	log, _ := os.ReadFile(p.log)
	return fmt.Errorf("did not come up within a minute: %s", log[max(0, len(log)-2000):])
}

const configuredOne = `  - id: %s
    source: { system: hubspot, hook: hubspot-main, account: "62515" }
    target: { system: salesforce, account: 00D000000000001EAA }
    objects:
      - name: contact
        source: contact
        target: Contact
        fields:
          - { source: email, target: Email, compare: email }
          - { source: lifecyclestage, target: Lifecycle__c }
          - { source: phone, target: Phone, compare: phone }
`

// configured are the integrations of the configuration.
func configured() string {
	var b strings.Builder
	for i := range *many {
		fmt.Fprintf(&b, configuredOne, integration(i))
	}
	return b.String()
}
