package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"plumbline.dev/schemas/config"
)

// maxFile bounds the file: a thousand integrations fit in a tenth of it.
const maxFile = 4 << 20

// Load reads and checks the file. The error lists every problem found.
func Load(path string) (*config.Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return Parse(filepath.Base(path), b)
}

// Parse is Load on bytes; name stands in the errors.
func Parse(name string, b []byte) (*config.Config, error) {
	if len(b) > maxFile {
		return nil, &Error{File: name, Problems: []Problem{{Line: 1, Text: fmt.Sprintf("file is larger than %d bytes", maxFile)}}}
	}
	cfg, src, err := decode(b)
	if err != nil {
		return nil, &Error{File: name, Problems: []Problem{*err}}
	}
	if len(src.problems) == 0 {
		fillDefaults(cfg)
		validate(cfg, src)
	}
	if len(src.problems) > 0 {
		return nil, &Error{File: name, Problems: src.sorted()}
	}
	return cfg, nil
}

// Default is the configuration of an empty file.
func Default() *config.Config {
	cfg := new(config.Config)
	fillDefaults(cfg)
	return cfg
}

// Problem is one thing to repair.
type Problem struct {
	Line int
	Path string // integrations[0].source.system
	Text string // what is wrong and what was expected
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Text
	}
	return p.Path + " " + p.Text
}

// Error is a file that cannot be used.
type Error struct {
	File     string
	Problems []Problem
}

// Error is one line: the first problem, and how to see the others.
func (e *Error) Error() string {
	p := e.Problems[0]
	s := fmt.Sprintf("%s:%d: %s", e.File, p.Line, p)
	if n := len(e.Problems) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more: run `plumbline config check`)", n)
	}
	return s
}

// Lines returns every problem of a config error, a line each, or the error's
// own text.
func Lines(err error) []string {
	var e *Error
	if !errors.As(err, &e) {
		return []string{err.Error()}
	}
	out := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		out[i] = fmt.Sprintf("%s:%d: %s", e.File, p.Line, p)
	}
	return out
}
