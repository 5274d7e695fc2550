package simulate

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/simulate/timeline"
)

// episode is a fault of the timeline, while it lasts and until what it hurt is
// right again.
type episode struct {
	scenario.Fault
	kind    scenario.Kind
	id      string
	on      bool
	began   int64
	first   int64          // when it first hurt a record; 0: not yet
	hurt    map[*pair]bool // records still wrong
	records map[*pair]bool // all that it ever hurt
	over    bool           // the incident was closed
	undo    func()
}

// faults decides what goes wrong, and follows whom it hurts.
type faults struct {
	*world
	dice     *timeline.Dice
	episodes []*episode
}

func newFaults(w *world) *faults {
	return &faults{world: w, dice: w.diceOf("faults")}
}

// start plans the scenario's timeline, or the random episodes of a profile.
func (f *faults) start() {
	if s := f.o.Scenario; s != nil {
		for i := range s.Faults {
			if t := s.Faults[i].Tenant; t == 0 || t == f.tenant+1 {
				f.script(s.Faults[i])
			}
		}
		return
	}
	p := f.o.Profile
	f.plan(scenario.TokenExpired, p.AuthEvery, 45*time.Second)
	f.plan(scenario.Throttled, p.LimitEvery, 25*time.Second)
	f.plan(scenario.VendorOutage, p.OutageEvery, 30*time.Second)
}

func (f *faults) script(spec scenario.Fault) {
	f.After(time.Duration(spec.At), func() {
		e := f.begin(spec)
		if spec.For > 0 {
			f.After(time.Duration(spec.For), func() { f.end(e) })
		}
	})
}

// plan repeats an episode: every so often, for about so long.
func (f *faults) plan(fault string, every, length time.Duration) {
	if every <= 0 {
		return
	}
	f.After(f.o.Profile.FirstFault+f.dice.Wait(every), func() {
		k := scenario.Kinds[fault]
		e := f.begin(scenario.Fault{Fault: fault, Answer: k.Answer, Share: k.Share, Factor: k.Factor})
		f.After(f.dice.Around(length, 0.4), func() {
			f.end(e)
			f.plan(fault, every, length)
		})
	})
}

func (f *faults) begin(spec scenario.Fault) *episode {
	e := &episode{
		Fault: spec, kind: spec.Kind(), id: "fault-" + spec.Fault + "-" + itoa(f.next()), on: true, began: f.Now(),
		hurt: map[*pair]bool{}, records: map[*pair]bool{},
	}
	f.episodes = append(f.episodes, e)
	f.note(f.line(truth.Fault, e))
	f.o.Logger.Info("fault begins: " + spec.Fault)
	e.undo = f.strike(e)
	if e.Signal && e.kind.Signal != "" {
		f.tell(e)
	}
	return e
}

func (f *faults) end(e *episode) {
	if !e.on {
		return
	}
	e.on = false
	if e.undo != nil {
		e.undo()
	}
	f.note(f.line(truth.FaultEnd, e))
	f.close(e)
}

func (f *faults) line(kind string, e *episode) truth.Line {
	l := truth.Line{
		Kind: kind, ID: e.id, Cause: e.Fault.Fault, System: f.o.Integration.Target.System, Object: e.Object, Field: e.Field,
		Class: e.kind.Class, Recoverability: e.kind.Recoverability, Attribution: e.kind.Attribution, Silent: e.kind.Silent,
	}
	switch e.Fault.Fault {
	case scenario.AgentLoop, scenario.AgentOneValue:
		l.Actor = event.ActorAgent + "/BREEZE_AGENT/" + e.id
	case scenario.TokenTheft, scenario.TokenExpired, scenario.TokenRevoked:
		l.Token = tokenName
	}
	return l
}

// tell posts the signal that somebody sends about the fault.
func (f *faults) tell(e *episode) {
	f.out.own("signals", signal{
		ID: "signal-" + e.id, Integration: f.in.ID, Kind: e.kind.Signal, System: f.in.Target.System,
		Object: e.Object, Field: e.Field, StartedAt: f.Now(), Summary: e.kind.About, Actor: event.Actor{Kind: event.ActorUser, ID: "admin"},
	})
}

// on is the episode of a kind that is under way, or nil.
func (f *faults) on(kind string) *episode {
	for _, e := range f.episodes {
		if e.on && e.Fault.Fault == kind {
			return e
		}
	}
	return nil
}

// hits draws whether an episode of the kind strikes this time.
func (f *faults) hits(kind string) *episode {
	if e := f.on(kind); e != nil && f.dice.Chance(e.Share) {
		return e
	}
	return nil
}

// harm notes that a fault hurt a record.
func (f *faults) harm(e *episode, r *pair) {
	if e == nil {
		return
	}
	e.hurt[r], e.records[r] = true, true
	r.hurtBy = e
	if e.first == 0 {
		e.first = f.Now()
		if e.kind.Incident {
			f.note(f.line(truth.Incident, e))
		}
	}
}

// heal hears that nothing is under way for a record any more: it is right
// again as far as every fault goes that did not begin what still differs, and
// did not strike just now. What somebody edited meanwhile keeps no fault's
// incident open.
func (f *faults) heal(r *pair, e *episode, struck bool) {
	for _, x := range f.episodes {
		if !x.hurt[r] || struck && x == e || slices.ContainsFunc(r.open, func(g gap) bool { return g.by == x }) {
			continue
		}
		delete(x.hurt, r)
		f.close(x)
	}
	if !struck {
		r.hurtBy = nil
	}
}

// close ends the incident of a fault that is over and hurts nobody any more.
func (f *faults) close(e *episode) {
	if e.on || e.over || e.first == 0 || len(e.hurt) > 0 || !e.kind.Incident {
		return
	}
	e.over = true
	l := f.line(truth.IncidentOK, e)
	l.Records = len(e.records)
	f.note(l)
}

// whole is the answer to a call that fails for every record in it; nil means
// that the call goes through.
func (f *faults) whole() (crm.Answer, *episode) {
	for _, kind := range []string{scenario.VendorOutage, scenario.BrownOut, scenario.Network, scenario.TokenRevoked, scenario.TokenExpired, scenario.Throttled} {
		e := f.on(kind)
		if e == nil || kind == scenario.BrownOut && !f.dice.Chance(e.Share) {
			continue
		}
		return refusalOf(e), e
	}
	return crm.Answer{}, nil
}

// refusalOf is how the vendor words a whole call's failure.
func refusalOf(e *episode) crm.Answer {
	switch e.Fault.Fault {
	case scenario.TokenExpired, scenario.TokenRevoked:
		return crm.Refuse(401, "INVALID_SESSION_ID", "Session expired or invalid")
	case scenario.Throttled:
		if e.Answer == 429 {
			a := crm.Refuse(429, "", "Too many requests")
			a.Body, a.RetryAfter = `{"message":"Too many requests"}`, 30
			return a
		}
		return crm.Refuse(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
	case scenario.Network:
		return crm.Answer{Message: "Post \"https://acme.my.salesforce.com/services/data/v66.0/composite/sobjects\": context deadline exceeded"}
	}
	switch e.Answer {
	case 401:
		return crm.Refuse(401, "INVALID_SESSION_ID", "Session expired or invalid")
	case 403:
		return crm.Refuse(403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
	case 502, 504:
		return crm.Answer{Status: e.Answer, Message: "Bad Gateway", Body: "<html><head><title>" + strconv.Itoa(e.Answer) + "</title></head></html>"}
	case 500:
		return crm.Refuse(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support")
	}
	return crm.Refuse(503, "SERVER_UNAVAILABLE", "The server is temporarily unable to service your request due to maintenance downtime or capacity problems.")
}

// one is what goes wrong with a single record although its values are right.
func (f *faults) one() (crm.Answer, *episode, bool) {
	locked := crm.Refuse(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records")
	if e := f.hits(scenario.RowLock); e != nil {
		return locked, e, true
	}
	return locked, nil, f.dice.Chance(f.o.Profile.Lock)
}

// blame finds the fault behind a refusal: the latest that changed the refused
// field, or that refuses duplicates.
func (f *faults) blame(o *object, a *crm.Answer) *episode {
	for _, e := range slices.Backward(f.episodes) {
		switch e.Fault.Fault {
		case scenario.DuplicateRule:
			if a.Code == "DUPLICATES_DETECTED" && e.on {
				return e
			}
		case scenario.PicklistGone, scenario.PicklistAdded, scenario.FieldRenamed, scenario.FieldDeleted, scenario.FieldRetyped, scenario.RetryStorm:
			if j := o.field(e.Field); e.on && e.Object == o.Name && j >= 0 && slices.Contains(a.Fields, o.Fields[j].Target) {
				return e
			}
		}
	}
	return nil
}

// slow is by how much the worker's waits are stretched.
func (f *faults) slow() float64 {
	factor := 1.0
	for _, kind := range []string{scenario.SlowWorker, scenario.BrownOut} {
		if e := f.on(kind); e != nil {
			factor *= max(e.Factor, 1)
		}
	}
	return factor
}

// stopped is the episode in which the worker makes no call, or nil.
func (f *faults) stopped() *episode {
	if e := f.on(scenario.StoppedWorker); e != nil {
		return e
	}
	return f.on(scenario.APIAllocation)
}

// victims are the records a fault still hurts, in an order of their own.
func (e *episode) victims() []*pair {
	return slices.SortedFunc(maps.Keys(e.hurt), func(a, b *pair) int {
		if a.o.n != b.o.n {
			return a.o.n - b.o.n
		}
		return a.n - b.n
	})
}
