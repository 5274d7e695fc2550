package connect

import (
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// A pair of options is believed after this many sights, and this share of them.
const (
	sights    = 3
	certainty = 0.8
)

// learnOptions finds how a source's options read in the target: by name where
// they are called alike, else by what pairs show. Owners are learned like
// options, so that no user list has to be readable.
func learnOptions(f config.FieldMap, i int, pairs []pairing, p *properties) config.FieldMap {
	counts := map[string]map[string]int{}
	for j := range pairs {
		a, b := pairs[j].source.Plain(i), pairs[j].target.Plain(i)
		if a.Blank() || b.Blank() {
			continue
		}
		if counts[a.Text] == nil {
			counts[a.Text] = map[string]int{}
		}
		counts[a.Text][b.Text]++
	}
	learned := map[string]string{}
	for from, to := range counts {
		best, n, all := "", 0, 0
		for option, k := range to {
			all += k
			if k > n || k == n && option < best {
				best, n = option, k
			}
		}
		if n >= sights && float64(n) >= certainty*float64(all) && !alike(from, best) {
			learned[from] = best
		}
	}
	for _, s := range p.source[f.Source].Options {
		if _, ok := learned[s.Value]; ok || counts[s.Value] != nil {
			continue
		}
		for _, t := range p.target[f.Target].Options {
			if !alike(s.Value, t.Value) && (alike(s.Label, t.Value) || alike(s.Label, t.Label) && s.Label != "") {
				learned[s.Value] = t.Value
				break
			}
		}
	}
	f.Map = learned
	if len(learned) == 0 {
		f.Map = nil
	}
	if f.Compare == value.Reference && f.Map != nil { // translated by table, not through users
		f.Compare, f.Via = value.Picklist, ""
	}
	return f
}

func alike(a, b string) bool {
	return value.Normalize(value.Picklist, event.Value{Text: a}) == value.Normalize(value.Picklist, event.Value{Text: b})
}
