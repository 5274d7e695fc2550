package diff

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"plumbline.dev/services/internal/compare"
)

// Result is what one comparison found.
type Result struct {
	*compare.Summary
	SourceLabel, TargetLabel string
	Key                      []string
	Fields                   []ComparedField
	OnlySource, OnlyTarget   []string // columns that were not compared
	Examples                 *examples
	Took                     time.Duration
}

// ComparedField is a pair of columns and how they were compared.
type ComparedField struct{ Source, Target, Kind string }

// Run compares and writes divergences to o.Out.
func Run(ctx context.Context, o *Options) (*Result, error) {
	began := time.Now()
	if err := o.validate(); err != nil {
		return nil, err
	}
	a, b, err := openBoth(ctx, o)
	if err != nil {
		return nil, err
	}
	defer a.close()
	defer b.close()
	p, err := match(o, a, b)
	if err != nil {
		return nil, err
	}
	if err := loadBoth(ctx, o, p, a, b); err != nil {
		return nil, err
	}
	out := newWriter(o.Out, o.Limit)
	c := comparison(o, p, a, b)
	sum, err := c.Run(ctx, o.Engine.DB, out.divergence)
	if err != nil {
		return nil, err
	}
	if err := out.noKey(sum); err != nil {
		return nil, err
	}
	r := &Result{
		Summary: sum, SourceLabel: a.label, TargetLabel: b.label, OnlySource: p.onlyA, OnlyTarget: p.onlyB,
		Examples: &out.examples, Took: time.Since(began),
	}
	for _, k := range p.key {
		r.Key = append(r.Key, k.name)
	}
	for _, f := range p.fields {
		r.Fields = append(r.Fields, ComparedField{f.name, b.columns[f.b].name, f.kind})
	}
	return r, out.flush()
}

func openBoth(ctx context.Context, o *Options) (a, b *input, err error) {
	for _, side := range []struct {
		arg, name string
		into      **input
	}{{o.A, "a", &a}, {o.B, "b", &b}} {
		s, err := locate(ctx, o, side.arg, side.name)
		if err == nil {
			*side.into, err = open(ctx, o, s)
		}
		if err != nil {
			if a != nil {
				a.close()
			}
			return nil, nil, err
		}
	}
	return a, b, nil
}

// loadBoth brings into the engine what it cannot read itself. Keys with a
// normal form are made in Go, so then both sides pass through here.
func loadBoth(ctx context.Context, o *Options, p *plan, a, b *input) error {
	group, loading := errgroup.WithContext(ctx)
	for _, side := range []struct {
		in       *input
		table    string
		position func(pair) int
	}{{a, "a", ofA}, {b, "b", ofB}} {
		needed, kinds := p.needs(side.position)
		if len(kinds) > 0 && side.in.rows == nil {
			side.in.take(newEngineRows(ctx, o, side.in))
		}
		if err := side.in.prepare(ctx, o, side.table, needed, kinds); err != nil {
			return errors.Join(err, group.Wait())
		}
		group.Go(func() error { return side.in.load(loading, o, needed, kinds) })
	}
	return group.Wait()
}

func ofA(p pair) int { return p.a }
func ofB(p pair) int { return p.b }

// needs lists a side's columns that matter, and the kinds of its keys that are
// paired by their normal form.
func (p *plan) needs(position func(pair) int) (columns []int, kinds map[int]string) {
	kinds = map[int]string{}
	seen := map[int]bool{}
	for i, list := range [][]pair{p.key, p.fields} {
		for _, f := range list {
			at := position(f)
			if !seen[at] {
				seen[at] = true
				columns = append(columns, at)
			}
			if i == 0 && normalised(f.kind) {
				kinds[at] = f.kind
			}
		}
	}
	return columns, kinds
}

func comparison(o *Options, p *plan, a, b *input) *compare.Comparison {
	c := &compare.Comparison{
		A: compare.Set{From: a.expr, Key: key(o, p, a, ofA)}, B: compare.Set{From: b.expr, Key: key(o, p, b, ofB)},
		Scratch: o.Engine.Database, Memory: o.Engine.Memory, Progress: func(s string) { o.progress("%s", s) },
	}
	if a.server.same(b.server) {
		c.Together = a.server.at
	}
	for _, side := range []struct {
		in  *input
		set *compare.Set
	}{{a, &c.A}, {b, &c.B}} {
		if side.in.server != nil && c.Together == nil {
			side.set.At = side.in.server.at
		}
		if side.in.lines {
			side.set.Carry = []string{"toString(line)"}
		}
	}
	for _, f := range p.fields {
		cellA, cellB := cells(o, &a.columns[f.a], &b.columns[f.b])
		c.Fields = append(c.Fields, compare.Field{Name: f.name, A: cellA, B: cellB, Judge: judge(o, f.kind)})
	}
	return c
}
