// Package runbook reads the runbook of an integration, finds what is missing
// in it, and knows which troubles it covers. A gap is told, never refused: a
// team with half a runbook is better off than one without.
package runbook

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"plumbline.dev/schemas/config"
)

// Runbook is the file. Every item of it is checked by Lint.
type Runbook struct {
	Integration        string                  `yaml:"integration"`
	Systems            []System                `yaml:"systems"`
	Direction          string                  `yaml:"direction"`
	Objects            []string                `yaml:"objects"`
	Owner              string                  `yaml:"owner"`
	Backup             string                  `yaml:"backup"`
	Channel            string                  `yaml:"channel"`
	Impact             string                  `yaml:"business_impact"`
	Critical           map[string]Fields       `yaml:"critical_fields"`
	Thresholds         map[string]float64      `yaml:"thresholds"` // KPIs; none: those of the config
	Steps              map[string][]Step       `yaml:"steps"`      // by class, or by fingerprint
	Escalation         config.List[Escalation] `yaml:"escalation"`
	Credentials        []Credential            `yaml:"credentials"`
	Revocation         string                  `yaml:"token_revocation"` // the playbook
	Activity           map[string]float64      `yaml:"anomalous_api_activity"`
	VendorStatus       []string                `yaml:"vendor_status"`
	Support            map[string]string       `yaml:"support"`
	Notifications      string                  `yaml:"sync_health_notifications"`
	ResyncLimit        int64                   `yaml:"bulk_resync_limit"`
	PicklistValidation string                  `yaml:"picklist_validation"`
	Reviewed           string                  `yaml:"last_reviewed"`  // a date
	Exercised          string                  `yaml:"last_exercised"` // a date
}

// System is one end.
type System struct {
	Name    string `yaml:"name"`
	Account string `yaml:"account"`
}

// Fields are an object's key and what must not be wrong.
type Fields struct {
	Key    []string          `yaml:"key"`
	Fields []string          `yaml:"fields"`
	Map    map[string]string `yaml:"map"` // source field to target field
}

// Step is something to do, or a query that tells, with what it should say.
type Step struct {
	Do     string `yaml:"do"`
	Query  string `yaml:"query"`
	Expect string `yaml:"expect"`
}

// Escalation says who is next, when nobody took it.
type Escalation struct {
	Priority string          `yaml:"priority"` // P1, P2; empty = both
	After    config.Duration `yaml:"after"`
	To       string          `yaml:"to"`
}

// Credential says where a key is, never the key.
type Credential struct {
	Where  string `yaml:"where"`
	System string `yaml:"system"`
	Scopes string `yaml:"scopes"`
	Owner  string `yaml:"owner"`
	Rotate string `yaml:"rotate"`
}

const maxFile = 1 << 20

// Load reads a runbook. A name nobody knows is an error: most likely it is
// misspelt, and what it says would be missed.
func Load(path string) (*Runbook, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, err
	}
	r, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Parse reads the text of a runbook.
func Parse(b []byte) (*Runbook, error) {
	var r Runbook
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	return &r, nil
}

// Path is where an integration's runbook stands, relative to the config.
func Path(in *config.Integration, dir string) string {
	if in.Runbook == "" || filepath.IsAbs(in.Runbook) {
		return in.Runbook
	}
	return filepath.Join(dir, in.Runbook)
}

//go:embed templates/*.yaml
var templates embed.FS

// Template is a runbook to start from: hubspot-salesforce, or generic.
func Template(name string) ([]byte, error) {
	b, err := templates.ReadFile("templates/" + name + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no template %q: there are hubspot-salesforce and generic", name)
	}
	return b, err
}
