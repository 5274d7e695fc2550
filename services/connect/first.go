package connect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/match"
)

// First is the first number: what differs among the records modified last.
type First struct {
	Looked, Equal, InFlight                        int // source records and, of the target, orphans
	Missing, Different, Duplicates, Orphans, NoKey int
	Fields                                         map[string]int
	Examples                                       []string
}

// Diverging is how many of the records looked at differ.
func (f *First) Diverging() int { return f.Missing + f.Different + f.Duplicates + f.Orphans }

// grace is how long a sync may take before a difference counts.
const grace = event.Time(10 * event.Minute)

// first compares what was modified last on both sides.
func (w *walk) first(ctx context.Context, o *Object, _ *properties) error {
	var err error
	if o.mapping, err = w.mapping(ctx, o.Object); err != nil {
		return err
	}
	if o.sample, err = w.latest(ctx, o.mapping, w.o.Source, event.Source, w.o.Sample); err != nil {
		return err
	}
	copies, err := o.mapping.Others(ctx, w.o.Target, o.sample, w.now)
	if err != nil {
		return err
	}
	f := &o.First
	f.Fields = map[string]int{}
	for i := range o.sample {
		f.take(o.mapping, &o.sample[i], copies[o.sample[i].ID])
	}
	if err := w.orphans(ctx, o); err != nil {
		return err
	}
	low, high := interval(f.Diverging(), f.Looked)
	w.say("   first number: %s of the %d records modified last differ (%.1f to %.1f %% of all such, 95 %% sure)",
		percent(f.Diverging(), f.Looked), f.Looked, 100*low, 100*high)
	w.say("     %d not in Salesforce, %d not in HubSpot, %d with other values, %d duplicates; %d changed too recently to tell, %d without a key",
		f.Missing, f.Orphans, f.Different, f.Duplicates, f.InFlight, f.NoKey)
	for _, e := range f.Examples {
		w.say("     e.g. %s", e)
	}
	return nil
}

func (f *First) take(m *match.Mapping, row *match.Row, copies []match.Row) {
	if _, k := row.Key(); k == "" {
		f.NoKey++
		return
	}
	young := row.ModifiedAt+grace > row.ReadAt
	switch len(copies) {
	case 0:
		if young {
			f.InFlight++
			return
		}
		f.Looked++
		f.Missing++
		f.example("HubSpot %s has no copy", row.ID)
		return
	case 1:
	default:
		f.Looked++
		f.Duplicates++
		f.example("HubSpot %s has %d copies, one of them %s", row.ID, len(copies), copies[0].ID)
		return
	}
	diffs := m.Differ(row, &copies[0])
	switch {
	case len(diffs) == 0:
		f.Looked++
		f.Equal++
	case young:
		f.InFlight++
	default:
		f.Looked++
		f.Different++
		for _, d := range diffs {
			f.Fields[m.Object.Fields[d.Field].Source]++
		}
		d := diffs[0]
		f.example("HubSpot %s, Salesforce %s: %s is %q in HubSpot and %q in Salesforce (%s)", row.ID, copies[0].ID, m.Object.Fields[d.Field].Source,
			d.Source.Show(), d.Target.Show(), d.How)
	}
}

const maxExamples = 5

func (f *First) example(format string, args ...any) {
	if len(f.Examples) < maxExamples {
		f.Examples = append(f.Examples, fmt.Sprintf(format, args...))
	}
}

// orphans looks from the other side: copies modified last of which HubSpot
// holds no record.
func (w *walk) orphans(ctx context.Context, o *Object) error {
	rows, err := w.latest(ctx, o.mapping, w.o.Target, event.Target, w.o.Sample)
	if err != nil {
		return err
	}
	origins, err := o.mapping.Others(ctx, w.o.Source, rows, w.now)
	if err != nil {
		return err
	}
	for i := range rows {
		if len(origins[rows[i].ID]) > 0 {
			continue
		}
		if rows[i].ModifiedAt+grace > rows[i].ReadAt {
			o.First.InFlight++
			continue
		}
		o.First.Looked++
		o.First.Orphans++
		o.First.example("Salesforce %s is in Salesforce only", rows[i].ID)
	}
	return nil
}

// interval is Wilson's, at 95 %.
func interval(n, of int) (low, high float64) {
	if of == 0 {
		return 0, 1
	}
	const z = 1.96
	p, m := float64(n)/float64(of), float64(of)
	mid, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max((mid-half)/(1+z*z/m), 0), min((mid+half)/(1+z*z/m), 1)
}

func percent(n, of int) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.1f %% (%d)", 100*float64(n)/float64(of), n)
}

func (w *walk) total() {
	n, of := 0, 0
	for _, o := range w.p.Objects {
		n, of = n+o.First.Diverging(), of+o.First.Looked
	}
	low, high := interval(n, of)
	w.say("\nFirst drift number: %s of %d records modified last, after %s. 95 %% sure it is %.1f to %.1f %%.", percent(n, of), of,
		w.p.Ended.Sub(w.p.Began).Round(100*time.Millisecond), 100*low, 100*high)
	for _, o := range w.p.Objects {
		w.say("  %-10s %s", o.Name, o.First.line())
	}
}

// line is an object's number in a form that can be passed on as it is.
func (f *First) line() string {
	parts := []string{fmt.Sprintf("%d of %d differ", f.Diverging(), f.Looked)}
	for _, c := range []struct {
		n    int
		text string
	}{
		{f.Missing, "not in Salesforce"}, {f.Orphans, "not in HubSpot"}, {f.Duplicates, "copied more than once"}, {f.Different, "with other values"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.text))
		}
	}
	fields := slices.SortedFunc(maps.Keys(f.Fields), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.Fields[b], f.Fields[a]), cmp.Compare(a, b))
	})
	for i, name := range fields {
		if i == maxExamples {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, fmt.Sprintf("%s %d", name, f.Fields[name]))
	}
	return strings.Join(parts, "; ")
}
