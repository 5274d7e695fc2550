package runbook

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// Book is the runbooks of all integrations.
type Book struct {
	of   map[string]*Runbook
	gaps map[string][]string
}

// Open reads the runbook of each integration. What is missing, or cannot be
// read, is a gap.
func Open(list []config.Integration, dir string, now time.Time) *Book {
	b := &Book{of: map[string]*Runbook{}, gaps: map[string][]string{}}
	for i := range list {
		in := &list[i]
		if in.Runbook == "" {
			b.gaps[in.ID] = []string{"it has none: `plumbline runbook new` writes one to start from"}
			continue
		}
		r, err := Load(Path(in, dir))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			b.gaps[in.ID] = []string{"the file " + in.Runbook + " is not there"}
		case err != nil:
			b.gaps[in.ID] = []string{err.Error()}
		default:
			b.of[in.ID] = r
			b.gaps[in.ID] = r.Lint(now)
			if r.Integration != "" && r.Integration != in.ID {
				b.gaps[in.ID] = append(b.gaps[in.ID], fmt.Sprintf("integration: is %s, want %s", r.Integration, in.ID))
			}
		}
	}
	return b
}

// Of is the runbook of an integration, nil without one.
func (b *Book) Of(integration string) *Runbook { return b.of[integration] }

// Gaps are what an integration's runbook lacks.
func (b *Book) Gaps(integration string) []string { return b.gaps[integration] }

// Documented reports whether a trouble that came back is written down: a step
// for its fingerprint, or one for its class that somebody made their own (it
// is not the template's) and that was reviewed or used of late.
func (b *Book) Documented(integration, fingerprint, class string, now event.Time) bool {
	r := b.of[integration]
	if r == nil {
		return false
	}
	if len(r.Steps[fingerprint]) > 0 {
		return true
	}
	return len(r.Steps[class]) > 0 && !ofTemplate(class, r.Steps[class]) && (recent(r.Reviewed, now) || recent(r.Exercised, now))
}

func ofTemplate(class string, steps []Step) bool {
	for _, name := range []string{"hubspot-salesforce", "generic"} {
		text, err := Template(name)
		if err != nil {
			continue
		}
		if t, err := Parse(text); err == nil && reflect.DeepEqual(t.Steps[class], steps) {
			return true
		}
	}
	return false
}

func recent(date string, now event.Time) bool {
	at, err := time.Parse(time.DateOnly, date)
	return err == nil && now.Std().Sub(at) <= fresh
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
