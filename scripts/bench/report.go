package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// report holds every figure in the order it was measured.
type report struct {
	At      string   `json:"at"`
	Machine string   `json:"machine"`
	Rows    []figure `json:"figures"`
}

type figure struct {
	Work  string  `json:"work"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

func (r *report) add(work, name string, value float64) {
	r.Rows = append(r.Rows, figure{work, name, value})
}

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Measured %s\n\n%s; load generator on the same machine.\n", r.At, r.Machine)
	work := ""
	for _, f := range r.Rows {
		if f.Work != work {
			work = f.Work
			fmt.Fprintf(&b, "\n## %s\n\n| figure | value |\n|---|---|\n", work)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", f.Name, number(f.Value))
	}
	return b.String()
}

func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
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
