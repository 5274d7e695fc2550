package connect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
)

// KeyEvidence is how good a pair of fields is at finding a record's copy.
type KeyEvidence struct {
	config.Key
	Filled  float64 // of the sampled source records
	Unique  float64 // of those filled, how many have a value of their own
	Found   float64 // of those asked for, how many have exactly one copy
	Several float64 // ... how many have several
	Asked   int
}

// probes are how many records each candidate is tried on.
const keyProbes = 100

// keys tries each candidate on records modified last.
func (w *walk) keys(ctx context.Context, o *Object, p *properties) error {
	candidates := candidateKeys(&o.Object, p)
	if len(candidates) == 0 {
		return fmt.Errorf("%w: no pair of fields could identify records", errNothing)
	}
	for _, k := range candidates {
		e, err := w.tryKey(ctx, o, k)
		if err != nil {
			return err
		}
		o.Keys = append(o.Keys, *e)
	}
	slices.SortStableFunc(o.Keys, func(a, b KeyEvidence) int { return -cmp.Compare(a.score(), b.score()) })
	o.Key = nil
	w.say("   keys, tried on %d records modified last:", min(keyProbes, w.o.Sample))
	for _, k := range o.Keys {
		verdict := ""
		if k.good() {
			o.Key = append(o.Key, k.Key)
		} else {
			verdict = "   (not used)"
		}
		w.say("     %-22s -> %-18s filled %3.0f %%, unique %3.0f %%, one copy %3.0f %%, several %3.0f %%%s", k.Source, k.Target,
			100*k.Filled, 100*k.Unique, 100*k.Found, 100*k.Several, verdict)
	}
	if len(o.Key) == 0 {
		return fmt.Errorf("%w: no key finds copies; are these the two systems that are synced?", errNothing)
	}
	return nil
}

func (k *KeyEvidence) score() float64 { return k.Filled * k.Unique * k.Found }

// good leaves out what is hardly ever set, or leads to nothing or to several.
func (k *KeyEvidence) good() bool {
	return k.Filled >= 0.05 && k.Unique >= 0.9 && k.Found >= 0.2 && k.Several <= 0.1
}

func candidateKeys(o *config.Object, p *properties) []config.Key {
	var out []config.Key
	add := func(k config.Key) {
		if _, ok := p.source[k.Source]; !ok {
			return
		}
		if _, ok := p.target[k.Target]; ok {
			out = append(out, k)
		}
	}
	for _, k := range o.Key {
		if k.Target != "@external" {
			add(k)
			continue
		}
		for _, name := range externalIDs(p) {
			k.Target = name
			add(k)
		}
	}
	return out
}

// externalIDs are unique fields of the target that may hold HubSpot's id.
func externalIDs(p *properties) []string {
	var out []string
	for name, x := range p.target {
		if l := strings.ToLower(name + " " + x.Label); x.Unique && name != "Id" && (strings.Contains(l, "hubspot") || strings.Contains(l, "hs_")) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (w *walk) tryKey(ctx context.Context, o *Object, k config.Key) (*KeyEvidence, error) {
	only := o.Object
	only.Key, only.Fields = config.List[config.Key]{k}, nil
	m, err := w.mapping(ctx, only)
	if err != nil {
		return nil, err
	}
	rows, err := w.latest(ctx, m, w.o.Source, event.Source, w.o.Sample)
	if err != nil {
		return nil, err
	}
	e := &KeyEvidence{Key: k}
	seen := map[string]bool{}
	var filled []match.Row
	for i := range rows {
		if _, hash := rows[i].Key(); hash != "" {
			filled = append(filled, rows[i])
			seen[hash] = true
		}
	}
	if len(filled) == 0 {
		return e, nil
	}
	e.Filled, e.Unique = share(len(filled), len(rows)), share(len(seen), len(filled))
	probe := filled[:min(keyProbes, len(filled))]
	found, err := m.Others(ctx, w.o.Target, probe, w.now)
	if crm.KindOf(err) == crm.KindSchema || crm.KindOf(err) == crm.KindRefused {
		return e, nil // a field that cannot be searched by is no key
	}
	if err != nil {
		return nil, err
	}
	one, several := 0, 0
	for i := range probe {
		switch n := len(found[probe[i].ID]); {
		case n == 1:
			one++
		case n > 1:
			several++
		}
	}
	e.Asked, e.Found, e.Several = len(probe), share(one, len(probe)), share(several, len(probe))
	return e, nil
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// latest converts the records of a side that were modified last.
func (w *walk) latest(ctx context.Context, m *match.Mapping, r crm.Reader, side string, n int) ([]match.Row, error) {
	var out []match.Row
	for _, native := range m.Natives(side) {
		at := w.now()
		records, err := r.Latest(ctx, m.Query(side, native), n)
		if err != nil {
			return nil, err
		}
		for i := range records {
			if row := m.Row(side, &records[i], at); !row.Deleted {
				out = append(out, row)
			}
		}
	}
	return out, nil
}
