package connect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
)

// FieldEvidence is how well two fields agree on the pairs that were looked at.
type FieldEvidence struct {
	config.FieldMap
	Pairs  int     // in which at least one side holds a value
	Agree  float64 // of these
	Why    string  // it is proposed, or not
	Mapped int     // options of the picklist that were matched
}

// least a pair of fields has to agree to be proposed: less is another meaning.
const (
	agreeTemplate = 0.3
	agreeGuess    = 0.8
	fewPairs      = 10
)

// fields proposes the map: the template's lines that both systems have, and
// fields of the same name. Each is proven on pairs.
func (w *walk) fields(ctx context.Context, o *Object, p *properties) error {
	o.Object.Fields = candidateFields(&o.Object, p)
	guessed := len(o.Object.Fields)
	o.Object.Fields = append(o.Object.Fields, sameNames(&o.Object, p)...)
	pairs, err := w.pairs(ctx, o)
	if err != nil {
		return err
	}
	var kept []config.FieldMap
	w.say("   fields, on %d pairs:", len(pairs))
	for i := range o.Object.Fields {
		f := &o.Object.Fields[i]
		e := w.prove(o, i, pairs, p, i >= guessed)
		o.Fields = append(o.Fields, e)
		if e.Why != "" {
			if i < guessed {
				w.say("     %-22s -> %-20s left out: %s", f.Source, f.Target, e.Why)
			}
			continue
		}
		kept = append(kept, e.FieldMap)
		text := fmt.Sprintf("     %-22s -> %-20s %-9s %5.1f %% of %d agree", e.Source, e.Target, e.Compare, 100*e.Agree, e.Pairs)
		if e.Mapped > 0 {
			text += fmt.Sprintf("; %d options matched", e.Mapped)
		}
		w.say("%s", text)
	}
	if o.Object.Fields = kept; len(kept) == 0 {
		return fmt.Errorf("%w: no pair of fields agrees", errNothing)
	}
	return nil
}

func candidateFields(o *config.Object, p *properties) []config.FieldMap {
	var out []config.FieldMap
	for _, f := range o.Fields {
		s, ok := p.source[f.Source]
		if !ok {
			continue
		}
		if f.Target == "@similar" {
			f.Target = similar(s, p.target)
		}
		if _, ok := p.target[f.Target]; ok {
			out = append(out, f)
		}
	}
	return out
}

// similar finds a target field that is called like a source property.
func similar(s crm.Property, target map[string]crm.Property) string {
	for _, wanted := range []string{plainName(s.Name), plainName(s.Label), plainName(strings.TrimSuffix(s.Name, "stage"))} {
		for _, name := range slices.Sorted(maps.Keys(target)) {
			if wanted != "" && (plainName(name) == wanted || plainName(target[name].Label) == wanted) {
				return name
			}
		}
	}
	return ""
}

// plainName leaves letters and digits, without Salesforce's ending.
func plainName(s string) string {
	s = strings.TrimSuffix(strings.ToLower(s), "__c")
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// maxGuesses bounds the fields of the same name that are tried.
const maxGuesses = 25

func sameNames(o *config.Object, p *properties) []config.FieldMap {
	used := map[string]bool{}
	for _, f := range o.Fields {
		used[f.Source], used[f.Target] = true, true
	}
	var out []config.FieldMap
	for _, name := range slices.Sorted(maps.Keys(p.source)) {
		s := p.source[name]
		if used[name] || s.ReadOnly || strings.HasPrefix(name, "hs_") || len(out) >= maxGuesses {
			continue
		}
		target := similar(s, p.target)
		if target == "" || used[target] || p.target[target].ReadOnly {
			continue
		}
		used[target] = true
		out = append(out, config.FieldMap{Source: name, Target: target, Compare: kindOf(s, p.target[target])})
	}
	return out
}

// kindOf is how two properties compare: by the stricter type of the two.
func kindOf(s, t crm.Property) string {
	switch {
	case t.Kind == value.Reference || s.Kind == value.Reference:
		return value.Reference
	case t.Kind == value.Text:
		return s.Kind
	}
	return t.Kind
}

// pairing is a source row with its copy.
type pairing struct{ source, target match.Row }

// pairs reads the sample with the candidate fields, and the copies.
func (w *walk) pairs(ctx context.Context, o *Object) ([]pairing, error) {
	var err error
	if o.mapping, err = w.mapping(ctx, o.Object); err != nil {
		return nil, err
	}
	if o.sample, err = w.latest(ctx, o.mapping, w.o.Source, event.Source, w.o.Sample); err != nil {
		return nil, err
	}
	found, err := o.mapping.Others(ctx, w.o.Target, o.sample, w.now)
	if err != nil {
		return nil, err
	}
	var out []pairing
	for i := range o.sample {
		if copies := found[o.sample[i].ID]; len(copies) == 1 {
			out = append(out, pairing{o.sample[i], copies[0]})
		}
	}
	return out, nil
}

// prove counts how often two fields agree, after learning how options are
// translated.
func (w *walk) prove(o *Object, i int, pairs []pairing, p *properties, guess bool) FieldEvidence {
	f := o.Object.Fields[i]
	e := FieldEvidence{FieldMap: f}
	if f.Compare == value.Picklist || f.Compare == value.Multi || f.Compare == value.Reference {
		e.FieldMap = learnOptions(f, i, pairs, p)
		e.Mapped = len(e.Map)
	}
	agree := 0
	for j := range pairs {
		a, b := pairs[j].source.Plain(i), pairs[j].target.Plain(i)
		if a.Blank() && b.Blank() {
			continue
		}
		e.Pairs++
		if equal, _ := value.Equal(e.Compare, e.Map, a, b); equal {
			agree++
		}
	}
	e.Agree = share(agree, e.Pairs)
	least := agreeTemplate
	if guess {
		least = agreeGuess
	}
	switch {
	case e.Pairs == 0 && guess:
		e.Why = "neither side holds values"
	case e.Pairs < fewPairs && guess:
		e.Why = fmt.Sprintf("only %d pairs hold a value", e.Pairs)
	case e.Pairs >= fewPairs && e.Agree < least:
		e.Why = fmt.Sprintf("%.0f %% of %d pairs agree: another meaning?", 100*e.Agree, e.Pairs)
	}
	return e
}
