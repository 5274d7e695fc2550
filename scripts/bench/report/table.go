package main

import (
	"regexp"
	"strconv"
	"strings"
)

// figures are one line of a table: what it is about, and its numbers by column.
type figures struct {
	Labels  []string  `json:"labels"`
	Columns []string  `json:"columns"`
	Values  []float64 `json:"values"`
}

// read finds the figures in what a program printed.
func read(output string) []figures {
	var out []figures
	var header []string
	heading := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "## "):
			heading, header = strings.TrimPrefix(line, "## "), nil
		case strings.HasPrefix(line, "|---"):
		case strings.HasPrefix(line, "|") && header == nil:
			header = cells(line)
		case strings.HasPrefix(line, "|"):
			out = append(out, row(heading, header, cells(line)))
		case strings.HasPrefix(line, "Benchmark"):
			out = append(out, benchmark(line))
		default:
			header = nil
		}
	}
	return out
}

func cells(line string) []string {
	list := strings.Split(strings.Trim(line, "|"), "|")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func row(heading string, header, cells []string) figures {
	var f figures
	if heading != "" {
		f.Labels = append(f.Labels, heading)
	}
	for i, c := range cells {
		if i >= len(header) || c == "" || header[i] == "round" {
			continue
		}
		v, err := strconv.ParseFloat(strings.ReplaceAll(c, ",", ""), 64)
		if err != nil {
			f.Labels = append(f.Labels, c)
			continue
		}
		f.Columns, f.Values = append(f.Columns, header[i]), append(f.Values, v)
	}
	return f
}

var cpus = regexp.MustCompile(`-\d+$`)

func benchmark(line string) figures {
	words := strings.Fields(line)
	f := figures{Labels: []string{cpus.ReplaceAllString(strings.TrimPrefix(words[0], "Benchmark"), "")}}
	for i := 2; i+1 < len(words); i += 2 {
		if v, err := strconv.ParseFloat(words[i], 64); err == nil {
			f.Columns, f.Values = append(f.Columns, words[i+1]), append(f.Values, v)
		}
	}
	return f
}
