package classify

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed rules/*.yaml
var embedded embed.FS

// Rules is a set of rule files, in the order they are asked.
type Rules struct {
	Files   []File
	Version string // of the bytes: the same rules have the same version everywhere
}

// Load reads every .yaml file of a folder, in the order of their names.
func Load(fsys fs.FS, dir string) (Rules, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return Rules{}, fmt.Errorf("%w: %w", ErrRules, err)
	}
	slices.Sort(names)
	var r Rules
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return Rules{}, fmt.Errorf("read rules: %w", err)
		}
		f, err := parse(path.Base(name), b)
		if err != nil {
			return Rules{}, err
		}
		r.Files = append(r.Files, f)
		r.Version = chain(r.Version, name, b)
	}
	return r, nil
}

// Embedded is the set that ships with Plumbline.
func Embedded() (Rules, error) { return Load(embedded, "rules") }

// With puts a file in front of all others: its rules win over theirs.
func (r Rules) With(name string, b []byte) (Rules, error) {
	f, err := parse(name, b)
	if err != nil {
		return Rules{}, err
	}
	f.own = true
	files := append([]File{f}, r.Files...)
	return Rules{Files: files, Version: chain(r.Version, name, b)}, nil
}

// General leaves only the rules that speak about every system.
func (r Rules) General() Rules {
	files := slices.DeleteFunc(slices.Clone(r.Files), func(f File) bool { return len(f.Providers) > 0 })
	return Rules{Files: files, Version: chain(r.Version, "general", nil)}
}

func parse(name string, b []byte) (File, error) {
	var f File
	// Strict: a misspelt condition would make a rule match too much.
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return File{}, fmt.Errorf("%w: %s: %w", ErrRules, name, err)
	}
	f.Name = strings.TrimSuffix(name, ".yaml")
	for i := range f.Phrases {
		if err := f.Phrases[i].validate(); err != nil {
			return File{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	for i := range f.Rules {
		if f.Rules[i].Source == "" {
			f.Rules[i].Source = f.Source
		}
		if err := f.Rules[i].validate(); err != nil {
			return File{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return f, nil
}

func chain(before, name string, b []byte) string {
	h := sha256.New()
	h.Write([]byte(before + "\x1f" + name + "\x1f"))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Default is the classifier of the embedded rules, compiled once.
func Default() *Classifier { return shipped() }

// The embedded rules are part of the binary and tested: failing to compile
// them is a broken build, not a condition to handle.
var shipped = sync.OnceValue(func() *Classifier {
	r, err := Embedded()
	if err == nil {
		var c *Classifier
		if c, err = New(r); err == nil {
			return c
		}
	}
	panic(err)
})
