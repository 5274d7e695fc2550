package simulate

import (
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
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
	return &worker{world: w, dice: w.diceOf("worker")}
}

// touched hears that fields of a record were saved.
func (k *worker) touched(r *pair, mask uint32) {
	if r.outside != nil && !r.deleted {
		k.check(r, r.outside, "")
		return
	}
	if r.poison {
		return // the storm has it
	}
	k.wait(r, mask)
	k.dirtied(r, mask)
}

// resume writes once more what was refused or kept back. It was saved long ago:
// no deadline begins anew.
func (k *worker) resume(r *pair, mask uint32) {
	if r.outside != nil || r.poison {
		return
	}
	k.dirtied(r, mask)
	if k.overdue(r, mask) {
		k.check(r, k.blocking(r), causeLate)
	}
}

func (k *worker) dirtied(r *pair, mask uint32) {
	r.dirty |= mask
	r.refused &^= mask
	if !r.queued && r.sending == 0 {
		k.queue(r, k.delay())
	}
}

func (k *worker) delay() time.Duration {
	return k.stretched(k.dice.Around(k.o.Profile.AcknowledgeAfter, 0.7))
}

func (k *worker) stretched(d time.Duration) time.Duration {
	return time.Duration(float64(d) * k.faults.slow())
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
	if o.calling || o.planned || len(o.ready) == 0 || k.faults.stopped() != nil {
		return
	}
	o.planned = true
	k.At(max(k.Now()+int64(k.dice.Between(150, 900)), k.paused), func() {
		o.planned = false
		k.call(o)
	})
}

// wake goes on after a stop.
func (k *worker) wake() {
	for _, o := range k.objects {
		k.plan(o)
	}
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
	changes []carried
	deleted bool
	bent    *episode // the map was wrong when the values were read
	creates bool     // there was no copy when it was sent
}

func (k *worker) call(o *object) {
	if k.paused > k.Now() || k.faults.stopped() != nil {
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
	k.usage++
	if k.spend != nil {
		k.spend(1)
	}
	took := k.dice.Around(time.Duration(180+6*n)*time.Millisecond, 0.45)
	if e := k.faults.on(scenario.BrownOut); e != nil {
		took = time.Duration(float64(took) * max(e.Factor, 1))
	}
	k.After(took, func() {
		o.calling = false
		k.answer(c)
		k.plan(o)
	})
}

func (k *worker) take(r *pair) sent {
	s := sent{r: r, mask: r.dirty, deleted: r.deleted, values: map[string]string{}}
	s.changes, r.changes = split(r.changes, func(c carried) bool { return c.left == 0 || c.left&s.mask != 0 || s.deleted })
	for j := range r.o.Fields {
		if f := &r.o.Fields[j]; r.dirty&(1<<j) != 0 {
			s.values[f.Target] = translate(f, r.row.Values[f.Source])
			k.mistake(&s, f)
		}
	}
	r.queued, r.dirty = false, 0
	r.sending = s.mask | 1<<31 // also while only a deletion is under way
	return s
}

// mistake writes another field's value, while the map says so.
func (k *worker) mistake(s *sent, f *config.FieldMap) {
	e := k.faults.on(scenario.MappingChange)
	if e == nil || e.Object != s.r.o.Name || e.Field != f.Source {
		return
	}
	s.values[f.Target], s.bent = s.r.row.Values[e.Value], e
}

// split parts changes by what holds for them.
func split(list []carried, holds func(carried) bool) (yes, no []carried) {
	for _, c := range list {
		if holds(c) {
			yes = append(yes, c)
		} else {
			no = append(no, c)
		}
	}
	return yes, no
}

// taken leaves in the write what it completes; the rest waits for its other
// fields.
func (s *sent) taken() {
	for i := range s.changes {
		s.changes[i].left &^= s.mask
	}
	done, rest := split(s.changes, func(c carried) bool { return c.left == 0 || s.deleted })
	s.changes, s.r.changes = done, append(rest, s.r.changes...)
}

func idsOf(list []carried) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.id)
	}
	return out
}

// answer hears the end of a call.
func (k *worker) answer(c *call) {
	if a, e := k.faults.whole(); e != nil {
		k.failed++
		for i := range c.records {
			s := &c.records[i]
			k.faults.harm(e, s.r)
			if e.Fault.Fault == scenario.Network && k.dice.Chance(0.5) {
				k.unheard(c, s, a, e) // carried out, but the answer was lost
			} else {
				k.report(c, s, a, e, "", "")
			}
			if k.careless() && k.operation(s, &a) == event.OpCreate && a.Status == 0 {
				s.r.unheard = e
			}
		}
		k.pause(e, a.RetryAfter)
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

// unheard is a write that lands while its answer is lost on the way.
func (k *worker) unheard(c *call, s *sent, lost crm.Answer, e *episode) {
	s.creates = k.copyOf(s.r) == nil
	done, _ := k.write(s)
	attempt := k.report(c, s, lost, e, "", "")
	if done.OK() {
		k.landed(s, done, attempt, nil)
	}
}

// careless: the worker tries again as it pleases.
func (k *worker) careless() bool { return k.o.Scenario != nil && k.o.Scenario.Worker.Careless }

// pause holds all calls back: the more failed, the longer, and as long as the
// answer asks, in seconds.
func (k *worker) pause(e *episode, asked int64) {
	wait := min(2*time.Second<<min(k.failed-1, 5), maxBackoff)
	if !k.careless() {
		wait = max(wait, time.Duration(asked)*time.Second)
	}
	k.paused = k.Now() + k.stretched(wait).Milliseconds()
	switch {
	case e.Fault.Fault == scenario.TokenRevoked:
		k.After(time.Second, func() { k.reportRefresh(false, e) })
	case e.Fault.Fault == scenario.TokenExpired && k.o.Scenario == nil:
		k.After(time.Second, func() { k.refresh(e) })
	}
}

// refresh asks for a new token. It works only sometimes while the lapse lasts.
func (k *worker) refresh(e *episode) {
	if e.on && k.failed > 2 && k.dice.Chance(0.5) {
		k.faults.end(e)
	}
}

// land writes one record and follows what comes of it.
func (k *worker) land(c *call, s *sent, batch bool) {
	r := s.r
	a, e := k.write(s)
	if batch {
		a = a.Collection()
	}
	if a.Code != "" || !a.OK() {
		k.lost(c, s, a, e)
		return
	}
	s.taken()
	attempt := k.report(c, s, a, nil, a.ID, "")
	if e == nil {
		e = s.bent
	}
	r.try, r.first, r.brought = 0, "", nil
	r.sending, r.refused, r.late = 0, r.refused&^s.mask, r.late&^s.mask
	if !a.Dropped {
		k.landed(s, a, attempt, e)
	}
	if a.Stored == nil {
		r.arrived()
	}
	k.rest(r)
	r.answers(s.mask, e)
	k.check(r, e, causeOf(e, &a))
}

// lost is a refused write: the worker tells of it, unless it swallows errors.
func (k *worker) lost(c *call, s *sent, a crm.Answer, e *episode) {
	if e == nil {
		e = k.faults.blame(s.r.o, &a)
	}
	if e == nil && a.Code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" {
		e = s.r.brought
	}
	says := ""
	if e != nil && e.Fault.Fault == scenario.SwallowedError {
		says = e.Says
	}
	k.report(c, s, a, e, "", says)
	k.refused(s, a.Code, e)
}

// causeOf is the cause of what no episode stands for.
func causeOf(e *episode, a *crm.Answer) string {
	switch {
	case e != nil:
		return ""
	case a.Dropped:
		return scenario.AckAndDrop
	case a.Stored != nil:
		return scenario.Coerced
	}
	return ""
}

// rest queues what was saved while the call was under way.
func (k *worker) rest(r *pair) {
	if (r.dirty != 0 || r.deleted && !r.forsaken && k.copyOf(r) != nil) && !r.queued {
		k.queue(r, k.delay())
	}
}

// refused decides between another try and giving up.
func (k *worker) refused(s *sent, code string, e *episode) {
	if code == "UNABLE_TO_LOCK_ROW" && s.r.try < maxTries {
		k.again(s)
		return
	}
	r := s.r
	r.sending, r.late = 0, r.late&^s.mask
	r.refused |= s.mask
	r.changes = append(s.changes, r.changes...)
	r.try, r.first = 0, ""
	r.arrived()
	k.rest(r)
	r.answers(s.mask, e)
	k.check(r, e, refusal(code))
	k.repair(r, code)
}

// again puts a record back, behind a growing wait.
func (k *worker) again(s *sent) {
	r := s.r
	r.sending = 0
	r.dirty |= s.mask
	r.changes = append(s.changes, r.changes...)
	if !r.queued {
		k.queue(r, min(k.stretched(k.dice.Around(2*time.Second<<min(r.try, 5), 0.3)), maxBackoff))
	}
}

// stormTry is one more try of the record that cannot succeed.
func (k *worker) stormTry(r *pair, field int) {
	if k.faults.stopped() != nil {
		return
	}
	f := &r.o.Fields[field]
	s := sent{r: r, mask: 1 << field, changes: r.changes, values: map[string]string{f.Target: translate(f, r.row.Values[f.Source])}}
	c := &call{id: "call-" + itoa(k.next()), began: k.Now()}
	k.usage++
	a, e := k.write(&s)
	if a.Code == "" && a.OK() {
		return
	}
	if e == nil {
		e = k.faults.on(scenario.RetryStorm)
	}
	k.faults.harm(e, r)
	k.report(c, &s, a, e, "", "")
	r.refused |= s.mask
	k.check(r, e, "")
}

// repair is the person who mends a refused record after a while.
func (k *worker) repair(r *pair, code string) {
	k.After(k.dice.Around(k.o.Profile.RepairAfter, 0.6), func() {
		if r.deleted || r.refused == 0 || r.poison {
			return
		}
		if code == "DUPLICATES_DETECTED" {
			k.echoes.removeTyped(r)
			k.resume(r, r.refused)
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
			k.resume(r, r.refused)
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
