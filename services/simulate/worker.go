package simulate

import (
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/timeline"
)

const (
	maxCall    = 50 // records in one call
	maxTries   = 8  // then a temporary failure is given up too
	maxBackoff = time.Minute
)

// worker is the sync: it copies what was saved, in batches, with retries.
type worker struct {
	*world
	dice   *timeline.Dice
	paused int64 // no call before this instant
	failed int   // whole calls in a row
}

func newWorker(w *world) *worker {
	return &worker{world: w, dice: timeline.NewDice(w.o.Seed, "worker")}
}

// touched hears that fields of a record were saved.
func (k *worker) touched(r *pair, mask uint32) {
	r.dirty |= mask
	r.refused &^= mask
	if !r.queued && r.sending == 0 {
		k.queue(r, k.dice.Around(k.o.Profile.AcknowledgeAfter, 0.7))
	}
}

// queue gives a record its turn after a while.
func (k *worker) queue(r *pair, d time.Duration) {
	r.queued = true
	k.After(d, func() {
		r.o.ready = append(r.o.ready, r)
		k.plan(r.o)
	})
}

// plan starts a call soon, if none of the object's is planned or under way.
func (k *worker) plan(o *object) {
	if o.calling || o.planned || len(o.ready) == 0 {
		return
	}
	o.planned = true
	k.At(max(k.Now()+int64(k.dice.Between(150, 900)), k.paused), func() {
		o.planned = false
		k.call(o)
	})
}

// call is a request with many records; its answer comes a while later.
type call struct {
	id      string
	began   int64
	records []sent
}

// sent is a record as the call holds it: later saves go into a later call.
type sent struct {
	r       *pair
	mask    uint32
	values  map[string]string
	changes []string
	deleted bool
}

func (k *worker) call(o *object) {
	if k.paused > k.Now() {
		k.plan(o)
		return
	}
	n := min(len(o.ready), maxCall)
	c := &call{id: "call-" + itoa(k.next()), began: k.Now()}
	for _, r := range o.ready[:n] {
		c.records = append(c.records, k.take(r))
	}
	o.ready = append(o.ready[:0], o.ready[n:]...)
	o.calling = true
	took := k.dice.Around(time.Duration(180+6*n)*time.Millisecond, 0.45)
	k.After(took, func() {
		o.calling = false
		k.answer(c)
		k.plan(o)
	})
}

func (k *worker) take(r *pair) sent {
	s := sent{r: r, mask: r.dirty, changes: r.changes, deleted: r.deleted, values: map[string]string{}}
	for j := range r.o.Fields {
		if f := &r.o.Fields[j]; r.dirty&(1<<j) != 0 {
			s.values[f.Target] = translate(f, r.row.Values[f.Source])
		}
	}
	r.queued, r.dirty, r.changes = false, 0, nil
	r.sending = s.mask | 1<<31 // also while only a deletion is under way
	return s
}

// answer hears the end of a call.
func (k *worker) answer(c *call) {
	if a, fault, bad := k.faults.whole(); bad {
		k.failed++
		for i := range c.records {
			k.report(c, &c.records[i], a, fault, "")
		}
		k.pause(fault)
		for i := range c.records {
			k.again(&c.records[i])
		}
		return
	}
	k.failed = 0
	for i := range c.records {
		k.land(c, &c.records[i], len(c.records) > 1)
	}
}

// pause holds all calls back: the more failed, the longer.
func (k *worker) pause(fault string) {
	wait := min(2*time.Second<<min(k.failed-1, 5), maxBackoff)
	k.paused = k.Now() + wait.Milliseconds()
	if fault == faultAuth {
		k.After(time.Second, k.refresh)
	}
}

// refresh asks for a new token. It works only sometimes while the lapse lasts.
func (k *worker) refresh() {
	if k.faults.active[faultAuth] == "" {
		return
	}
	ok := k.failed > 2 && k.dice.Chance(0.5)
	k.reportRefresh(ok)
	if ok {
		k.faults.end(faultAuth)
	}
}

// land writes one record and follows what comes of it.
func (k *worker) land(c *call, s *sent, batch bool) {
	r := s.r
	a, cause := k.write(s)
	if batch {
		a = a.Collection()
	}
	taken := a.Code == "" && a.OK()
	if !taken {
		k.report(c, s, a, cause, "")
		k.refused(s, a.Code)
		return
	}
	attempt := k.report(c, s, a, "", a.ID)
	r.try, r.first = 0, ""
	r.sending, r.refused = 0, r.refused&^s.mask
	if cause != causeDrop {
		k.landed(s, a, attempt, cause)
	}
	k.rest(r)
	k.check(r, cause, true)
}

// rest queues what was saved while the call was under way.
func (k *worker) rest(r *pair) {
	if (r.dirty != 0 || r.deleted && k.copyOf(r) != nil) && !r.queued {
		k.queue(r, k.dice.Around(k.o.Profile.AcknowledgeAfter, 0.7))
	}
}

// Causes of silent failures.
const (
	causeDrop   = "ack_and_drop"
	causeCoerce = "coerced_value"
)

// write is what Salesforce does with the record. The cause is set where it
// does something else than it says.
func (k *worker) write(s *sent) (crm.Answer, string) {
	o, id := s.r.o, s.r.row.ID
	if a, bad := k.faults.one(); bad {
		return a, "row_lock"
	}
	if s.deleted {
		return k.sf.Delete(o.native, id, k.syncUser(), k.Now()), ""
	}
	row := k.copyOf(s.r)
	if row == nil { // a create needs every field, also those of an earlier, refused try
		for j := range o.Fields {
			f := &o.Fields[j]
			s.values[f.Target] = translate(f, s.r.row.Values[f.Source])
		}
		s.mask = o.every
	} else if k.faults.dice.Chance(k.o.Profile.Drop) {
		return crm.Answer{Status: 200, ID: row.ID, Body: `{"id":"` + row.ID + `","success":true,"errors":[],"created":false}`}, causeDrop
	}
	values, cause := s.values, ""
	if row != nil && k.faults.dice.Chance(k.o.Profile.Coerce) {
		values, cause = k.coerced(s)
	}
	return k.sf.Upsert(o.native, id, values, k.syncUser(), k.Now()), cause
}

// coerced is what a trigger in the org makes of the values.
func (k *worker) coerced(s *sent) (map[string]string, string) {
	out := map[string]string{}
	cause := ""
	for j := range s.r.o.Fields {
		f := &s.r.o.Fields[j]
		v, ok := s.values[f.Target]
		if !ok {
			continue
		}
		out[f.Target] = v
		if cause == "" {
			if w := coerce(f, v); w != v {
				out[f.Target], cause = w, causeCoerce
			}
		}
	}
	return out, cause
}

// refused decides between another try and giving up.
func (k *worker) refused(s *sent, code string) {
	if code == "UNABLE_TO_LOCK_ROW" && s.r.try < maxTries {
		k.again(s)
		return
	}
	r := s.r
	r.sending = 0
	r.refused |= s.mask
	r.changes = append(s.changes, r.changes...)
	r.try, r.first = 0, ""
	k.rest(r)
	k.check(r, refusal(code), false)
	k.repair(r, code)
}

// again puts a record back, behind a growing wait.
func (k *worker) again(s *sent) {
	r := s.r
	r.sending = 0
	r.dirty |= s.mask
	r.changes = append(s.changes, r.changes...)
	if !r.queued {
		k.queue(r, min(k.dice.Around(2*time.Second<<min(r.try, 5), 0.3), maxBackoff))
	}
}

// repair is the person who mends a refused record after a while.
func (k *worker) repair(r *pair, code string) {
	k.After(k.dice.Around(k.o.Profile.RepairAfter, 0.6), func() {
		if r.deleted || r.refused == 0 {
			return
		}
		if code == "DUPLICATES_DETECTED" {
			k.echoes.removeOrphan(r)
			k.touched(r, r.refused)
			return
		}
		calm := Profile{}
		values := map[string]string{}
		var mask uint32
		for j := range r.o.Fields {
			f := &r.o.Fields[j]
			v := r.row.Values[f.Source]
			if badOptions[f.Source] == v && v != "" || v == longTitle {
				values[f.Source] = draw(k.dice, &calm, r.o.Name, f, r.n, k.Now())
				mask |= 1 << j
			}
		}
		r.dirty |= r.refused
		k.people.save(r, mask, values, person(k.dice.Between(1, 6)))
		if mask == 0 {
			k.touched(r, r.refused)
		}
	})
}

func refusal(code string) string {
	switch code {
	case "DUPLICATES_DETECTED":
		return event.ClassDuplicate
	case "":
		return ""
	}
	return "refused:" + code
}
