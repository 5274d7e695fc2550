package ledger

import (
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// story is a record's whole past, told up to now.
type story struct {
	m          *mapping
	deliveries []*chapter
	recent     []seenOrTried
	targetID   string
	now        event.Time // stream time
	clock      event.Time // or the arrival, where that is ahead
	version    uint64
	pace       [5]int64
	claims     []*event.Failure // of the newest moment
	fields     Memory

	key        string
	gaps       []*difference
	rivals     []string
	proven     []proof
	said       []event.Event // in the newest moment: divergences, inferred failures, questions
	ask        *event.Check
	asked      event.Time
	edits      []string
	editsAt    event.Time
	editsAsked bool
}

func (s *story) deadline() event.Time { return event.Time(s.pace[0]) }
func (s *story) skew() event.Time     { return event.Time(s.pace[1]) }

func (s *story) keep() event.Time { return event.Time(s.pace[3]) }

type seenOrTried struct {
	until  event.Time
	e      *Evidence
	t      *Try
	failed *event.Failure // nobody knows its delivery yet
}

func (r *reference) tell(key string) *story {
	s := &story{m: r.object(key), key: strings.SplitN(key, "/", 3)[2]}
	for _, m := range r.History[key] {
		s.now, s.clock, s.version, s.pace, s.claims, s.said = m.Now, m.Now, m.Version, m.Pace, nil, nil
		before := s.copies()
		if m.Type == event.TypeTick {
			s.tick()
		} else {
			ev, err := event.Decode(m.Type, m.Bytes)
			if err != nil {
				panic(err)
			}
			s.happened(r.l, ev)
		}
		for i, c := range s.deliveries {
			if i >= len(before) || before[i] != c.d {
				c.d.UpdatedAt, c.d.Version = s.clock, s.version
			}
		}
	}
	return s
}

func (s *story) copies() []event.Delivery {
	var all []event.Delivery
	for _, c := range s.deliveries {
		all = append(all, c.d)
	}
	return all
}

func (s *story) news(now *story, key string, out *stream.Out) (all []*event.Delivery) {
	old := s.copies()
	for i, d := range now.copies() {
		switch {
		case i >= len(old):
		case old[i] == d:
			continue
		default:
			d.Was, d.WasAttempts, d.WasAcked = old[i].State, old[i].Attempts, old[i].AcknowledgedAt > 0
		}
		out.Emit("plumbline.deliveries", key, &d)
		all = append(all, &d)
	}
	return all
}

func (s *story) tick() {
	for _, c := range s.deliveries {
		switch {
		case waiting(c.d.State) && c.judgeAt <= s.now:
			for target, saw := range c.saw {
				if !c.pending(target) || s.fields.elsewhere(c.d.Reverse, target, saw.Moved) {
					delete(c.saw, target)
				}
			}
			c.coerced = c.coerced && len(c.saw) > 0
			c.d.State = map[string]string{"observed": "stalled", "attempted": "failed", "acknowledged": "unobserved"}[c.d.State]
			c.coercedAfterAll()
		}
	}
	s.coercions()
	s.questions()
	for _, c := range s.deliveries {
		c.gone = c.gone || !waiting(c.d.State) && c.forgetAt <= s.now
	}
	for _, c := range s.deliveries {
		for _, older := range s.deliveries {
			if c.gone && c.goneAt == 0 && over(c.d.State) && over(older.d.State) && older.d.Reverse == c.d.Reverse && older.d.ChangedAt <= c.d.ChangedAt {
				older.gone = true
			}
		}
	}
	for _, c := range s.deliveries {
		if c.gone && c.goneAt == 0 {
			c.goneAt = s.now
		}
	}
	s.recent = slices.DeleteFunc(s.recent, func(k seenOrTried) bool { return k.until <= s.now })
	s.send()
	s.forgetTarget()
}

func (s *story) forgetTarget() {
	if len(s.gaps)+len(s.rivals)+len(s.recent)+len(s.present()) == 0 && s.editsAt == 0 {
		s.targetID, s.fields, s.asked = "", Memory{}, 0
	}
}

func (s *story) happened(l *Ledger, ev event.Event) {
	switch e := ev.(type) {
	case *event.Change:
		s.clock, s.m = max(s.now, e.ReceivedAt), l.objects[[2]string{e.Integration, e.Object}]
		switch {
		case s.m == nil:
		case e.RecordKey == "":
			s.orphan(echoed(s.m, e), e.RecordID)
		case e.Side == event.Target:
			if !s.seen(echoed(s.m, e)) {
				break
			}
			if wants := s.m.returns(e); s.m.integration.Bidirectional && s.m.others(e.Side, e.Actor) && e.Operation == "update" && len(wants) > 0 {
				s.changed(e, wants)
			}
			s.hold(echoed(s.m, e))
		case s.m.ours(e.Side, e.Actor) || s.repeated(e):
			s.shown(echoed(s.m, e))
		case e.MergedInto != "" && e.MergedInto != e.RecordID:
			s.mergedAway(event.DeliveryID(e.Integration, e.Object, e.MergedInto, e.ID), e.ChangedAt)
		default:
			if s.m.integration.Bidirectional {
				s.fields.learn(echoed(s.m, e), s.matters)
			} else {
				s.fields.Told[1] = max(s.fields.Told[1], e.ChangedAt)
			}
			s.changed(e, s.m.wants(e))
		}
	case *event.Attempt:
		s.clock, s.m = max(s.now, e.ReceivedAt), l.objects[[2]string{e.Integration, e.Object}]
		if s.m != nil && e.RecordKey != "" && e.Granularity != "run" && slices.Contains([]string{"create", "update", "upsert", "delete"}, e.Operation) {
			s.attempted(s.m.tryOf(e), e)
		}
	case *event.Observation:
		s.clock, s.m = max(s.now, e.ReceivedAt), l.objects[[2]string{e.Integration, e.Object}]
		switch {
		case s.m == nil:
		case e.OutOfScope:
			for _, c := range s.deliveries {
				if !c.gone && !over(c.d.State) && c.d.State != "not_applied" {
					c.d.SupersededBy = "out_of_scope"
					s.end(c, "superseded")
				}
			}
			s.over(everyGap, "out_of_scope")
		case e.Side == "target" && isOrphan(e.ExternalID) && !isOrphan(s.key) && s.targetID != "" && s.targetID != e.RecordID: // a copy of nothing
		case e.RecordKey == "":
			s.orphan(observed(s.m, e), e.RecordID)
		default:
			s.shown(observed(s.m, e))
			s.twins(e)
		}
	case *event.Link:
		s.clock = max(s.now, e.LearnedAt)
		s.linked(e)
	case *event.Click:
		s.clock = max(s.now, e.ReceivedAt)
		s.clicked(e)
	}
	s.forgetTarget()
}

func (s *story) shown(e *Evidence) {
	if s.seen(e) {
		s.hold(e)
	}
}

// repeated is a write-back of a sync whose user nobody named.
func (s *story) repeated(e *event.Change) bool {
	if s.m.integration.Source.SyncUser != "" || e.Operation != "update" || len(s.m.renamed(e.Fields)) == 0 {
		return false
	}
	return slices.ContainsFunc(s.recent, func(k seenOrTried) bool {
		if k.e == nil || k.e.Source || !k.e.Event || s.m.ours("target", k.e.Writer) ||
			k.e.At >= e.ChangedAt-s.skew() || k.e.At < e.ChangedAt-s.deadline() {
			return false
		}
		return !slices.ContainsFunc(s.m.renamed(e.Fields), func(f event.Field) bool {
			shown, ok := event.Find(k.e.Fields, f.Name)
			equal, _ := s.m.equal(f.Name, f.Value, shown)
			return !ok || !equal
		})
	})
}

func (s *story) later(at event.Time) event.Time {
	if s.clock >= at {
		return s.clock + 3*event.Second
	}
	return at
}

func (s *story) remember(k seenOrTried) {
	k.until = s.clock + s.m.recent
	s.recent = append(s.recent, k)
	s.recent = s.recent[max(0, len(s.recent)-maxKept):]
}

func (s *story) matters(name string) bool {
	return slices.ContainsFunc(s.deliveries, func(c *chapter) bool { return !c.gone && c.has(name) })
}
