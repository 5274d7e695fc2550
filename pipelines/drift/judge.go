package drift

import (
	"cmp"
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// claim is a candidate that explains something.
type claim struct {
	*Candidate
	fit
	object, field string // all it explains is of these; "" = of several
	rank          int
}

// most is how many causes of one difference are told.
const most = 3

// judge explains what an integration's records differ by.
func (d *Drift) judge(ctx stream.Ctx, integration string, out *stream.Out) {
	d.forget(ctx, integration)
	s := d.scene(ctx.Now, integration)
	claims := s.explain()
	fresh := map[string]bool{}
	tell := func(x *event.Explanation) {
		x.Tenant, x.Integration = d.books.Get(integration).Tenant, integration
		x.ID = event.Hash("explanation", integration, x.CauseID, x.Object, x.Field)
		x.Sentence, x.SQL = sentence(x), rows(x)
		fresh[x.ID] = true
		d.tell(ctx, x, out)
	}
	for i := range claims {
		tell(claims[i].explanation())
	}
	rest := s.unexplained()
	for _, x := range rest {
		tell(x)
	}
	d.books.Change(integration).Open = len(rest) > 0
	d.takeBack(ctx, integration, fresh, out)
}

// explain asks the candidates, those that name most first.
func (s *scene) explain() []claim {
	var claims []claim
	for r := range 2 * reaches { // twice: what hid behind another cause may show when that is taken away
		for {
			best := s.best(r%reaches, claims)
			if best == nil {
				break
			}
			best.rank = 1
			claims = append(claims, *best)
			for i, x := range s.cells {
				s.left[i] = s.left[i] && !s.hits(best.Candidate, x)
			}
		}
	}
	s.open = slices.Clone(s.left)
	return s.alsoFit(claims)
}

// best is the candidate of a reach that fits best; of two alike, the one that
// began last before the differences did.
func (s *scene) best(r reach, taken []claim) *claim {
	var best *claim
	for _, c := range s.causes {
		if c.reach() != r || slices.ContainsFunc(taken, func(t claim) bool { return t.ID == c.ID }) {
			continue
		}
		f := s.fit(c)
		if f == nil {
			continue
		}
		x := s.claim(c, f)
		if best == nil || better(x, best) {
			best = x
		}
	}
	return best
}

func better(a, b *claim) bool {
	const close = 1.2
	if a.low > close*b.low || b.low > close*a.low {
		return a.low > b.low
	}
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.ID, a.ID)) > 0
}

// claim notes what all that it explains has in common.
func (s *scene) claim(c *Candidate, f *fit) *claim {
	x, first := &claim{Candidate: c, fit: *f, object: c.Object, field: c.Field}, true
	for i, cell := range s.cells {
		if !s.left[i] || !s.hits(c, cell) {
			continue
		}
		if first {
			x.object, x.field, first = cell.Object, c.field(cell), false
		}
		if x.object != cell.Object {
			x.object = ""
		}
		if x.field != c.field(cell) {
			x.field = ""
		}
	}
	if x.object == "" {
		x.field = ""
	}
	return x
}

// alsoFit adds what would explain the same, had the first not been there.
func (s *scene) alsoFit(claims []claim) []claim {
	for i := range s.left {
		s.left[i] = true
	}
	for _, c := range s.causes {
		if len(claims) == 0 || slices.ContainsFunc(claims, func(t claim) bool { return t.ID == c.ID }) {
			continue
		}
		f := s.fit(c)
		if f == nil {
			continue
		}
		x := s.claim(c, f)
		x.rank = 2
		for i := range claims {
			if claims[i].rank > 1 && claims[i].overlaps(x) {
				x.rank++
			}
		}
		if x.rank <= most {
			claims = append(claims, *x)
		}
	}
	return claims
}

func (c *claim) overlaps(o *claim) bool {
	return (c.object == "" || o.object == "" || c.object == o.object) && (c.field == "" || o.field == "" || c.field == o.field)
}

func (c *claim) explanation() *event.Explanation {
	from, to := c.when()
	if c.End == 0 {
		to = 0
	}
	x := &event.Explanation{
		Object: c.object, Field: c.field, Kind: c.Kind, CauseID: c.ID, Cause: c.words(), CauseAt: c.Start, FirstAt: c.first, Rank: c.rank, From: from, To: to,
		Divergences: int64(c.inside.cases), Of: c.total, Exposed: int64(max(c.inside.of, c.inside.cases)), Outside: int64(c.outside.cases),
		OutsideOf: int64(c.outside.of), Witnesses: int64(c.witnesses), Ratio: round(c.ratio), Low: round(c.low), High: round(c.high), FirstStep: c.step(),
	}
	if machine(c.By) {
		x.By = c.By
	}
	return x
}

// unexplained are the fields of which enough is left. It is also said what was
// looked at.
func (s *scene) unexplained() []*event.Explanation {
	byField := map[[2]string]*event.Explanation{}
	var list []*event.Explanation
	for i, cell := range s.cells {
		at := [2]string{cell.Object, cell.Field}
		x := byField[at]
		if x == nil {
			x = &event.Explanation{Object: cell.Object, Field: cell.Field, Kind: event.CauseUnexplained, CauseID: event.CauseUnexplained, Rank: 1}
			byField[at], list = x, append(list, x)
		}
		x.Of += cell.N
		if s.open[i] {
			if x.From == 0 || cell.Began < x.From {
				x.From = cell.Began
			}
			x.Divergences += cell.N
		}
	}
	list = slices.DeleteFunc(list, func(x *event.Explanation) bool { return x.Divergences < leastCases })
	for _, x := range list {
		x.Exposed = int64(len(s.causes))
	}
	return list
}

// tell says what is new or has changed.
func (d *Drift) tell(ctx stream.Ctx, x *event.Explanation, out *stream.Out) {
	was := d.told.Get(x.ID)
	x.UpdatedAt, x.Version = ctx.Now, ctx.Version
	if was != nil {
		same := *was
		same.UpdatedAt, same.Version = x.UpdatedAt, x.Version
		if same == *x {
			return
		}
	}
	*d.told.Change(x.ID) = *x
	told := *x
	out.Emit(topic.Verdicts, x.Integration, &told)
}

// takeBack says of what was told and does not hold any more. What is only too
// long ago stands.
func (d *Drift) takeBack(ctx stream.Ctx, integration string, fresh map[string]bool, out *stream.Out) {
	for _, id := range slices.Clone(d.told.Keys()) {
		x := d.told.Get(id)
		if x.Integration != integration || fresh[id] {
			continue
		}
		d.told.Delete(id)
		if x.From < ctx.Now-horizon {
			continue
		}
		gone := *x
		gone.Divergences, gone.UpdatedAt, gone.Version = 0, ctx.Now, ctx.Version
		out.Emit(topic.Verdicts, integration, &gone)
	}
}
