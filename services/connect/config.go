package connect

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"plumbline.dev/schemas/config"
	cfgload "plumbline.dev/services/internal/config"
)

//go:embed config.yaml.tmpl
var configTemplate string

//go:embed runbook.yaml.tmpl
var runbookTemplate string

// RunbookFile is where the runbook stands, beside the configuration.
const RunbookFile = "runbooks/hubspot-salesforce.yaml"

var templateFuncs = template.FuncMap{
	"q": strconv.Quote, "list": list, "options": options, "note": note, "sum": func(o *Object) string { return o.evidence() },
}

// list writes one or several names.
func list(names config.List[string]) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// options writes a map in the order of its keys.
func options(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, strconv.Quote(k)+": "+strconv.Quote(m[k]))
	}
	return "{ " + strings.Join(out, ", ") + " }"
}

// note keeps what vendors say within a comment's line.
func note(s string) string { return strings.Join(strings.Fields(s), " ") }

func (o *Object) evidence() string {
	return fmt.Sprintf("%d in HubSpot, %d in Salesforce; of the %d modified last, %d differ", o.SourceCount, o.TargetCount, o.First.Looked, o.First.Diverging())
}

// Evidence is what a line of the map rests on.
func (o *Object) Evidence(source, target string) string {
	for _, e := range o.Fields {
		if e.Source == source && e.Target == target && e.Pairs > 0 {
			return fmt.Sprintf("%.1f %% of %d agree", 100*e.Agree, e.Pairs)
		}
	}
	return "no values seen yet"
}

type page struct {
	*Proposal
	HS, SF config.Connection
}

func render(text string, p *Proposal, hs, sf config.Connection) ([]byte, error) {
	t, err := template.New("").Funcs(templateFuncs).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, page{p, hs, sf})
	return b.Bytes(), err
}

// Config is the file that runs what was proposed, checked as any other.
func (p *Proposal) Config(hs, sf config.Connection) ([]byte, error) {
	hs.Account, sf.Account = p.Source.ID, p.Target.ID
	b, err := render(configTemplate, p, hs, sf)
	if err != nil {
		return nil, err
	}
	if _, err := cfgload.Parse("plumbline.yaml", b); err != nil {
		return nil, fmt.Errorf("the proposed configuration is not valid, which is a mistake of ours: %w", err)
	}
	return b, nil
}

// ErrExists means that a file is there already, and was left alone.
var ErrExists = errors.New("is there already")

// Write puts the files in their places; it replaces nothing unless told to.
func (p *Proposal) Write(path string, hs, sf config.Connection, force bool) (runbook string, err error) {
	b, err := p.Config(hs, sf)
	if err != nil {
		return "", err
	}
	if err := put(path, b, force); err != nil {
		return "", err
	}
	if b, err = render(runbookTemplate, p, hs, sf); err != nil {
		return "", err
	}
	runbook = filepath.Join(filepath.Dir(path), RunbookFile)
	if err := os.MkdirAll(filepath.Dir(runbook), 0o750); err != nil {
		return "", err
	}
	if err := put(runbook, b, force); err != nil && !errors.Is(err, ErrExists) { // a runbook that people wrote in stays
		return "", err
	}
	return runbook, nil
}

func put(path string, b []byte, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s %w: choose another with --out, or --force to replace it", path, ErrExists)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
