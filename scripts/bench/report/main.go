package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

var (
	root   = flag.String("root", "../../..", "the repository")
	out    = flag.String("out", "docs/bench", "folder for report.md, report.json and raw/, from the repository's root")
	rounds = flag.Int("rounds", 3, "of each measurement that is not too long for it")
	only   = flag.String("only", "", "measure only what has this in its name, and keep the rest of the report that is there")
)

// measured is a work with what came of it.
type measured struct {
	work
	At      string     `json:"at"`
	Took    string     `json:"took"`
	Load    string     `json:"load_before"` // of the machine, a minute's mean: what else ran
	Failed  string     `json:"failed,omitempty"`
	Figures []figures  `json:"figures"`
	Sums    []*summary `json:"summary"`
}

type report struct {
	Machine string               `json:"machine"`
	Work    map[string]*measured `json:"work"`
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run() error {
	folder := filepath.Join(*root, *out)
	if err := os.MkdirAll(filepath.Join(folder, "raw"), 0o755); err != nil {
		return err
	}
	r := &report{Work: map[string]*measured{}}
	if old, err := os.ReadFile(filepath.Join(folder, "report.json")); err == nil && *only != "" {
		if err := json.Unmarshal(old, r); err != nil {
			return err
		}
	}
	r.Machine = machine()
	for _, w := range everything() {
		if !strings.Contains(w.Name, *only) {
			continue
		}
		m, raw := w.measure()
		r.Work[w.Name] = m
		if err := os.WriteFile(filepath.Join(folder, "raw", fileName(w.Name)), raw, 0o644); err != nil {
			return err
		}
		if err := r.write(folder); err != nil { // what a broken run has measured is not lost
			return err
		}
	}
	return nil
}

// measure runs a work, again and again where it does not repeat itself.
func (w work) measure() (*measured, []byte) {
	times, args := 1, make([]string, len(w.Run))
	for i, a := range w.Run {
		args[i] = strings.ReplaceAll(a, "{rounds}", strconv.Itoa(*rounds))
	}
	if !w.Once && strings.Join(args, " ") == strings.Join(w.Run, " ") {
		times = *rounds
	}
	began := time.Now()
	m := &measured{work: w, At: began.UTC().Format(time.RFC3339), Load: load()}
	var raw bytes.Buffer
	for range times {
		fmt.Fprintf(os.Stderr, "== %s\n   %s\n", w.Name, strings.Join(args, " "))
		cmd := exec.Command(args[0], args[1:]...) //nolint:gosec // named in this program
		cmd.Dir = filepath.Join(*root, w.Dir)
		cmd.Env = os.Environ()
		if strings.HasPrefix(w.Dir, "scripts/bench") {
			cmd.Env = append(cmd.Env, "GOWORK=off")
		}
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&raw, os.Stderr), os.Stderr
		if err := cmd.Run(); err != nil {
			m.Failed = err.Error()
		}
	}
	m.Took = time.Since(began).Round(time.Second).String()
	m.Figures = read(raw.String())
	m.Sums = summarise(m.Figures)
	return m, raw.Bytes()
}

func (r *report) write(folder string) error {
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "report.json"), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Measured, beside others\n\n`make bench` wrote this: %s, load generators and brokers on the same machine. Each figure is a median, with least and most where there\nwere several rounds. What each program printed is in [raw](raw/), everything as numbers in [report.json](report.json).\n", r.Machine)
	for _, w := range everything() {
		m := r.Work[w.Name]
		if m == nil {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\nTo reach: %s. In `%s`: `%s`, %s, took %s; load before %s.\n", w.Name, w.Aim, w.Dir, strings.Join(w.Run, " "), m.At[:10], m.Took, m.Load)
		if m.Failed != "" {
			fmt.Fprintf(&b, "\n**It failed: %s.**\n", m.Failed)
		}
		b.WriteString(markdown(m.Sums))
	}
	return os.WriteFile(filepath.Join(folder, "report.md"), []byte(b.String()), 0o644)
}

var plain = regexp.MustCompile(`[^a-z0-9]+`)

func fileName(name string) string {
	return strings.Trim(plain.ReplaceAllString(strings.ToLower(name), "-"), "-") + ".txt"
}

func load() string {
	raw, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(raw), " ")
	return first
}

func machine() string {
	model := "unknown processor"
	raw, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			model = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
			break
		}
	}
	return fmt.Sprintf("%d cores (%s), %s", runtime.NumCPU(), model, runtime.Version())
}
