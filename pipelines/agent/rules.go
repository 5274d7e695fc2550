package agent

import (
	"fmt"
	"slices"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// breach is a rule that an agent breaks: what was measured, what is allowed,
// and both in a sentence a person can act on.
type breach struct {
	rule, reason  string
	field, object string
	value, limit  float64
	excusable     bool // announced work may do this
}

// rule looks at an agent's windows.
type rule struct {
	name  string
	check func(a *Agent, l *config.AgentLimits, ev *event.Activity) (breach, bool)
}

// rules in the order they are asked: the first that is broken is told. The
// numbers are defaults; config.AgentLimits overrides them.
var rules = []rule{
	{"outside_fields", outside},
	{"loop", loop},
	{"one_value", oneValue},
	{"deletes", deletes},
	{"cap_run", capRun},
	{"burst", burst},
	{"cap_hour", capHour},
	{"cap_day", capDay},
	{"creates", creates},
	{"overwrites", overwrites},
	{"slow_overwrites", slowOverwrites},
	{"failures", failures},
}

// judge returns the first rule that is broken and not excused.
func judge(a *Agent, l *config.AgentLimits, ev *event.Activity, excused bool) (breach, bool) {
	for _, r := range rules {
		b, broken := r.check(a, l, ev)
		if !broken || excused && b.excusable {
			continue
		}
		b.rule = r.name
		return b, true
	}
	return breach{}, false
}

func outside(_ *Agent, l *config.AgentLimits, ev *event.Activity) (breach, bool) {
	if len(l.Fields) == 0 {
		return breach{}, false
	}
	for i := range ev.Fields {
		name := ev.Fields[i].Field
		if name != "" && !slices.Contains(l.Fields, name) {
			return breach{
				field: name, object: ev.Object, value: float64(ev.Fields[i].N),
				reason: fmt.Sprintf("wrote field %s of %s, which is not among those it may write", name, ev.Object),
			}, true
		}
	}
	return breach{}, false
}

func loop(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c := a.over(10)
	limit := l.Repeats
	if limit < 0 || c.Again < limit || c.Again*2 < c.Writes {
		return breach{}, false
	}
	return breach{
		value: float64(c.Again), limit: float64(limit),
		reason: fmt.Sprintf("%d of its %d writes in 10 minutes were to records it had just written", c.Again, c.Writes),
	}, true
}

// oneValue: the same value into one field everywhere. Votes are how many more
// writes of it there were than of all others, so it was written at least that often.
func oneValue(a *Agent, l *config.AgentLimits, ev *event.Activity) (breach, bool) {
	for i := range ev.Fields {
		if l.OneValue < 0 {
			break
		}
		f := a.field(ev.Object, ev.Fields[i].Field)
		if f == nil {
			continue
		}
		n, votes := f.N+f.Before[0], f.TopN+f.Before[1]
		if n < l.OneValue || float64(votes) < 0.8*float64(n) {
			continue
		}
		return breach{
			field: f.Name, object: f.Object, value: float64(n), limit: float64(l.OneValue), excusable: true,
			reason: fmt.Sprintf("wrote %q into %s of %s in at least %d of %d writes", f.Show, f.Name, f.Object, votes, n),
		}, true
	}
	return breach{}, false
}

func deletes(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	return over(a.over(60).Deletes, l.Deletes, false, "deleted %d records in an hour, allowed are %d")
}

func capRun(a *Agent, l *config.AgentLimits, ev *event.Activity) (breach, bool) {
	if r := a.run(ev.Actor.Run); r != nil {
		return over(r.Writes, l.Run, true, "wrote %d records in one run, allowed are %d")
	}
	return breach{}, false
}

func capHour(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c := a.over(60)
	return over(c.tried(), l.Hour, true, "wrote %d times in an hour, allowed are %d")
}

func capDay(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c := a.day()
	return over(c.tried(), l.Day, true, "wrote %d times in 24 hours, allowed are %d")
}

func over(n, limit int64, excusable bool, words string) (breach, bool) {
	if limit <= 0 || n <= limit {
		return breach{}, false
	}
	return breach{
		value: float64(n), limit: float64(limit), excusable: excusable, reason: fmt.Sprintf(words, n, limit),
	}, true
}

// burst holds this minute against the agent's own busiest minutes of the
// hours before, the one under way left out.
func burst(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c := a.over(1)
	n := c.tried()
	limit := max(l.Burst, 10*a.usual())
	if l.Burst <= 0 || n <= limit {
		return breach{}, false
	}
	return breach{
		value: float64(n), limit: float64(limit), excusable: true,
		reason: fmt.Sprintf("wrote %d times within a minute, allowed are %d; %s", n, limit, a.past()),
	}, true
}

func (a *Agent) past() string {
	if len(a.Peaks) == 0 {
		return "it was never seen busy before"
	}
	return fmt.Sprintf("its usual busiest minute is %d", a.usual())
}

// usual is the median of the busiest minutes of past hours.
func (a *Agent) usual() int64 {
	if len(a.Peaks) == 0 {
		return 0
	}
	sorted := slices.Clone(a.Peaks)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// creates: an agent that used to update makes records instead.
func creates(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c, week := a.over(10), a.days(7)
	if l.Creates < 0 || c.Creates < l.Creates || float64(c.Creates) < 0.8*float64(c.Writes) {
		return breach{}, false
	}
	before := week.Writes - c.Writes
	if before > 0 && week.Creates-c.Creates >= before/2 {
		return breach{}, false // creating is its work
	}
	return breach{
		value: float64(c.Creates), limit: float64(l.Creates), excusable: true,
		reason: fmt.Sprintf("%d of its %d writes in 10 minutes created records; before it mostly updated", c.Creates, c.Writes),
	}, true
}

func overwrites(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c := a.day()
	return overwritten(c, l.Overwrites, l.OverwriteShare, "24 hours")
}

// slowOverwrites sees what no single day shows.
func slowOverwrites(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c := a.days(14)
	return overwritten(c, 2*l.Overwrites, l.OverwriteShare/2, "14 days")
}

func overwritten(c Counts, least int64, share float64, span string) (breach, bool) {
	if least <= 0 || c.Human < least || float64(c.Human) < share*float64(c.FieldWrites) {
		return breach{}, false
	}
	got := float64(c.Human) / float64(c.FieldWrites)
	return breach{
		value: got, limit: share,
		reason: fmt.Sprintf("%d of %d field writes in %s replaced what a person had written (%.0f %%)",
			c.Human, c.FieldWrites, span, 100*got),
	}, true
}

func failures(a *Agent, l *config.AgentLimits, _ *event.Activity) (breach, bool) {
	c := a.over(10)
	if c.Attempts < 30 || l.FailureShare <= 0 || float64(c.Failed) < l.FailureShare*float64(c.Attempts) {
		return breach{}, false
	}
	return breach{
		value: float64(c.Failed) / float64(c.Attempts), limit: l.FailureShare,
		reason: fmt.Sprintf("%d of its %d attempts in 10 minutes failed, and it goes on", c.Failed, c.Attempts),
	}, true
}
