package simulate

import (
	"slices"
	"strconv"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/simulate/timeline"
)

// hooks is HubSpot's side of webhooks: it gathers events, sends them in
// batches, sometimes late, sometimes twice.
type hooks struct {
	*world
	dice    *timeline.Dice
	waiting []crm.Event
	changes []string // that the waiting events tell of
	planned bool
	portal  int64
}

const appID = 3849713 // of the sync, as HubSpot numbers it

func newHooks(w *world) *hooks {
	portal, err := strconv.ParseInt(w.in.Source.Account, 10, 64)
	if err != nil {
		portal = 62515
	}
	return &hooks{world: w, dice: w.diceOf("hooks"), portal: portal}
}

func (h *hooks) event(r *pair, kind string, subscription int64, a author) crm.Event {
	id, _ := strconv.ParseInt(r.row.ID, 10, 64)
	return crm.Event{
		EventID: 2409500000 + h.next(), SubscriptionID: subscription, PortalID: h.portal, AppID: appID,
		OccurredAt: r.row.Modified, SubscriptionType: r.o.Source + "." + kind, ObjectID: id,
		ChangeSource: a.source, SourceID: a.sourceID,
	}
}

func (h *hooks) properties(r *pair, mask uint32, a author) []crm.Event {
	var out []crm.Event
	for j := range r.o.Fields {
		if mask&(1<<j) == 0 {
			continue
		}
		e := h.event(r, "propertyChange", r.o.property[j], a)
		v := r.row.Values[r.o.Fields[j].Source]
		e.PropertyName, e.PropertyValue = r.o.Fields[j].Source, &v
		out = append(out, e)
	}
	return out
}

// created tells of a new record: HubSpot sends its values as changes of their
// own, at the same instant.
func (h *hooks) created(r *pair, a author) {
	e := h.event(r, "creation", r.o.creation, a)
	e.ChangeFlag = "CREATED"
	h.tell(r, event.OpCreate, 0, []crm.Event{e}, a)
	h.tell(r, event.OpUpdate, r.o.every, h.properties(r, r.o.every, a), a)
}

func (h *hooks) updated(r *pair, mask uint32, a author) {
	h.tell(r, event.OpUpdate, mask, h.properties(r, mask, a), a)
}

func (h *hooks) deleted(r *pair, a author) {
	e := h.event(r, "deletion", r.o.deletion, a)
	e.ChangeFlag = "DELETED"
	h.tell(r, event.OpDelete, 0, []crm.Event{e}, a)
}

// merged tells that a record was merged into another.
func (h *hooks) merged(r, winner *pair, a author) {
	e := h.event(r, "merge", r.o.deletion, a)
	w, _ := strconv.ParseInt(winner.row.ID, 10, 64)
	e.MergedObjectIDs, e.PrimaryObjectID, e.NewObjectID = []int64{e.ObjectID}, w, w
	e.ObjectID = w
	h.tell(r, event.OpMerge, 0, []crm.Event{e}, a)
}

// hookID is where this tenant's webhooks go.
func (h *hooks) hookID() string {
	if h.tenant == 0 && h.o.Hook != "" {
		return h.o.Hook
	}
	return h.in.Source.Hook
}

// tell queues the events of one change; they travel together.
func (h *hooks) tell(r *pair, op string, mask uint32, events []crm.Event, a author) {
	id := crm.ChangeID(events)
	h.note(truth.Line{
		Kind: truth.Change, ID: id, At: truth.Time(r.row.Modified), System: h.in.Source.System, Object: r.o.Name,
		SourceID: r.row.ID, Operation: op, Actor: actorText(a.actor), Mapped: true, Fields: r.o.names(mask, false), Held: h.held(r, mask),
		There: op == event.OpCreate && h.counterpart(r) != nil,
	})
	r.changes = append(r.changes, carried{id, mask})
	if len(h.waiting)+len(events) > crm.MaxBatch {
		h.flush()
	}
	h.waiting, h.changes = append(h.waiting, events...), append(h.changes, id)
	if !h.planned {
		h.planned = true
		h.After(h.dice.Around(600*time.Millisecond, 0.5), h.flush)
	}
}

// flush sends a batch. A batch is one request, and requests overtake each
// other; a lost answer makes HubSpot send one again.
func (h *hooks) flush() {
	h.planned = false
	if len(h.waiting) == 0 {
		return
	}
	batch, changes := h.waiting, h.changes
	again := slices.Clone(batch) // now: once sent, a batch belongs to its lane
	h.waiting, h.changes = nil, nil
	if e := h.faults.hits(scenario.LostWebhooks); e != nil {
		h.note(truth.Line{Kind: truth.Lost, ID: e.id, System: h.in.Source.System, Changes: changes, Cause: e.Fault.Fault})
		return
	}
	send := func() { h.out.hook(h.hookID(), batch) }
	if h.dice.Chance(h.o.Profile.Late) {
		h.After(time.Duration(h.dice.Between(2000, 15000))*time.Millisecond, send)
	} else {
		send()
	}
	if h.dice.Chance(h.o.Profile.Redelivered) {
		for i := range again {
			again[i].AttemptNumber++
		}
		h.After(time.Duration(h.dice.Between(5000, 40000))*time.Millisecond, func() { h.out.hook(h.hookID(), again) })
	}
}
