package simulate

import (
	"time"

	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/timeline"
)

// Episodes in which whole calls fail.
const (
	faultAuth   = "auth_lapse"
	faultLimit  = "rate_limit"
	faultOutage = "vendor_outage"
)

// faults decides when whole calls fail, and how.
type faults struct {
	*world
	dice   *timeline.Dice
	active map[string]string // fault -> id of its truth line
}

func newFaults(w *world) *faults {
	return &faults{world: w, dice: timeline.NewDice(w.o.Seed, "faults"), active: map[string]string{}}
}

func (f *faults) start() {
	p := f.o.Profile
	f.plan(faultAuth, p.AuthEvery, 45*time.Second)
	f.plan(faultLimit, p.LimitEvery, 25*time.Second)
	f.plan(faultOutage, p.OutageEvery, 30*time.Second)
}

// plan repeats an episode: every so often, for about so long.
func (f *faults) plan(fault string, every, length time.Duration) {
	if every <= 0 {
		return
	}
	f.After(f.o.Profile.FirstFault+f.dice.Wait(every), func() {
		f.begin(fault)
		f.After(f.dice.Around(length, 0.4), func() {
			f.end(fault)
			f.plan(fault, every, length)
		})
	})
}

func (f *faults) begin(fault string) {
	id := "fault-" + fault + "-" + itoa(f.next())
	f.active[fault] = id
	f.note(truth.Line{Kind: truth.Fault, ID: id, Cause: fault, System: f.o.Integration.Target.System})
}

func (f *faults) end(fault string) {
	if id, ok := f.active[fault]; ok {
		delete(f.active, fault)
		f.note(truth.Line{Kind: truth.FaultEnd, ID: id, Cause: fault, System: f.o.Integration.Target.System})
	}
}

// whole is the answer to a call that fails for every record in it; false means
// that the call goes through.
func (f *faults) whole() (crm.Answer, string, bool) {
	switch {
	case f.active[faultOutage] != "":
		a := crm.Refuse(503, "SERVER_UNAVAILABLE", "The server is temporarily unable to service your request due to maintenance downtime or capacity problems.")
		return a, faultOutage, true
	case f.active[faultAuth] != "":
		return crm.Refuse(401, "INVALID_SESSION_ID", "Session expired or invalid"), faultAuth, true
	case f.active[faultLimit] != "":
		return crm.Refuse(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), faultLimit, true
	}
	return crm.Answer{}, "", false
}

// one is what goes wrong with a single record although its values are right.
func (f *faults) one() (crm.Answer, bool) {
	if f.dice.Chance(f.o.Profile.Lock) {
		return crm.Refuse(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records"), true
	}
	return crm.Answer{}, false
}
