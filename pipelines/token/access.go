package token

import (
	"fmt"
	"slices"

	"plumbline.dev/schemas/event"
)

// A credential is learned before anything of it is strange.
const (
	learnFor   = 3 * event.Day
	learnLines = 200
	// grace is how long a replaced token may still be in use somewhere.
	grace = 15 * event.Minute

	sweepObjects = 5
	exportRows   = 10_000
	burstCalls   = 1_000
	weeksKnown   = 3
)

// access folds one line of a vendor's log and returns what is strange in it.
func (e *Entry) access(a *event.Access) []Finding {
	if e.First == 0 {
		e.First = a.At
	}
	e.Lines++
	e.Last = max(e.Last, a.At)
	e.roll(a.At)
	calls := max(a.Calls, 1)
	u := e.hour()
	u.Calls += calls
	switch a.Operation {
	case event.AccessWrite:
		u.Writes += calls
	case event.AccessDelete:
		u.Deletes += calls
	case event.AccessQuery, event.AccessRead, event.AccessExport:
		u.Rows += a.Rows
	}
	learned := a.At-e.First >= learnFor && e.Lines > learnLines
	var found []Finding
	for _, f := range e.strange(a, u) {
		if f.Kind != "" && (learned || f.Kind == usedAfterRotation) {
			f.At = a.At
			found = append(found, f)
		}
	}
	return found
}

// usedAfterRotation needs no learning: a replaced token has no business.
const usedAfterRotation = "used_after_rotation"

// strange asks every rule; all of them note what they see.
func (e *Entry) strange(a *event.Access, u *Use) []Finding {
	return []Finding{
		e.rotated(a), e.network(a), e.client(a), e.purpose(a), e.sweep(a), e.export(u), e.rate(u), e.offHours(a),
	}
}

func (e *Entry) rotated(a *event.Access) Finding {
	if e.Rotated == 0 || a.At < e.Rotated+grace {
		return Finding{}
	}
	return Finding{Kind: usedAfterRotation, Weight: 5, Words: fmt.Sprintf("it was replaced at %s and is still used", e.Rotated)}
}

func (e *Entry) network(a *event.Access) Finding {
	if a.Network == "" || know(&e.Networks, a.Network, a.At) {
		return Finding{}
	}
	return Finding{Kind: "new_network", Weight: 2, Words: "first used from " + a.Network}
}

func (e *Entry) client(a *event.Access) Finding {
	if a.Agent == "" || know(&e.Clients, a.Agent, a.At) {
		return Finding{}
	}
	return Finding{Kind: "new_client", Weight: 1, Words: "first used with " + a.Agent}
}

// purpose: an operation or object it was never used for. Reading one more
// object is daily life; taking away traces and administering is not.
func (e *Entry) purpose(a *event.Access) Finding {
	name := a.Operation + " " + a.Object
	if know(&e.Purposes, name, a.At) {
		return Finding{}
	}
	if len(e.Fresh) == maxFresh {
		e.Fresh = slices.Delete(e.Fresh, 0, 1)
	}
	e.Fresh = append(e.Fresh, Known{name, a.At})
	switch a.Operation {
	case event.AccessJobDelete:
		return Finding{Kind: "traces_removed", Weight: 3, Words: "it deleted query jobs, which it never did before"}
	case event.AccessAdmin:
		return Finding{Kind: "new_admin", Weight: 3, Words: "it changed users or permissions, which it never did before"}
	case event.AccessDelete:
		return Finding{Kind: "new_delete", Weight: 2, Words: "it deleted " + a.Object + " records, which it never did before"}
	}
	return Finding{}
}

func (e *Entry) sweep(a *event.Access) Finding {
	e.Fresh = slices.DeleteFunc(e.Fresh, func(k Known) bool { return k.Last+event.Hour < a.At })
	objects := 0
	for i := range e.Fresh {
		if e.Fresh[i].Name[0] != 'w' { // reads of any kind; writes are the agents' matter
			objects++
		}
	}
	if objects < sweepObjects {
		return Finding{}
	}
	return Finding{Kind: "sweep", Weight: 3, Words: fmt.Sprintf("%d objects within an hour that it never read before", objects)}
}

func (e *Entry) export(u *Use) Finding {
	if limit := max(exportRows, 10*e.Peak.Rows); u.Rows > limit {
		return Finding{Kind: "export", Weight: 3, Words: fmt.Sprintf("read %d rows within an hour, its most so far is %d", u.Rows, e.Peak.Rows)}
	}
	return Finding{}
}

func (e *Entry) rate(u *Use) Finding {
	if limit := max(burstCalls, 10*e.Peak.Calls); u.Calls > limit {
		return Finding{Kind: "rate", Weight: 2, Words: fmt.Sprintf("%d calls within an hour, its most so far is %d", u.Calls, e.Peak.Calls)}
	}
	return Finding{}
}

func (e *Entry) offHours(a *event.Access) Finding {
	before, weeks := e.ofWeek(a.At)
	if before > 0 || weeks < weeksKnown {
		return Finding{}
	}
	return Finding{Kind: "off_hours", Weight: 1, Words: "used at an hour of the week when it never was"}
}
