package token

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// Time is event.Time; msgp writes it as the number it is.
type Time = event.Time

// Entry is what is known of one credential, or, with Usage, of one account's
// counter.
type Entry struct {
	Tenant   string    `msg:"tn"`
	System   string    `msg:"sy"`
	ID       string    `msg:"id"`
	First    Time      `msg:"f"` // first line of the vendor's log
	Lines    int64     `msg:"n"`
	Last     Time      `msg:"l"`
	At       Time      `msg:"at"`           // the hour that Hours ends with
	Hours    [24]Use   `msg:"h"`            //
	Peak     Use       `msg:"pk"`           // the most of any past hour, days fading it
	Week     []byte    `msg:"w,omitempty"`  // by hour of week: how often it was used, up to 255
	Networks []Known   `msg:"nw,omitempty"` //
	Clients  []Known   `msg:"cl,omitempty"` //
	Purposes []Known   `msg:"pu,omitempty"` // operation and object
	Fresh    []Known   `msg:"fr,omitempty"` // purposes first seen within the hour
	Rotated  Time      `msg:"ro,omitempty"` // replaced by another
	Found    []Finding `msg:"fi,omitempty"`
	Usage    *Usage    `msg:"us,omitempty"`
}

// Use is what a credential did in an hour.
//
//msgp:tuple Use
type Use struct{ Calls, Rows, Writes, Deletes int64 }

// Known is something seen before.
//
//msgp:tuple Known
type Known struct {
	Name string
	Last Time
}

// Finding is one thing found, kept for a day so that it is told once.
//
//msgp:tuple Finding
type Finding struct {
	Kind   string
	Weight int
	At     Time
	Words  string
}

const (
	// forgetAfter is longer than any integration sleeps.
	forgetAfter = 400 * event.Day
	foundFor    = event.Day
	maxKnown    = 256
	maxFresh    = 32
)

// Due implements stream.KeyState.
func (e *Entry) Due() event.Time { return e.Last + forgetAfter }

// Empty implements stream.KeyState.
func (e *Entry) Empty() bool { return e.ID == "" }

// know notes a name and reports whether it was known.
func know(list *[]Known, name string, at event.Time) bool {
	for i := range *list {
		if (*list)[i].Name == name {
			(*list)[i].Last = max((*list)[i].Last, at)
			return true
		}
	}
	if len(*list) == maxKnown {
		oldest := 0
		for i := range *list {
			if (*list)[i].Last < (*list)[oldest].Last {
				oldest = i
			}
		}
		*list = slices.Delete(*list, oldest, oldest+1)
	}
	*list = append(*list, Known{name, at})
	return false
}

// roll moves the hours to now. The hours that end feed the peak; days without
// as much let it fade, so that a quiet year does not excuse a sudden export.
func (e *Entry) roll(now event.Time) {
	hour, was := int64(now)/event.Hour, int64(e.At)/event.Hour
	if e.At == 0 || hour <= was {
		e.At = max(e.At, now)
		return
	}
	ended := e.Hours[was%24]
	e.Peak = Use{
		max(e.Peak.Calls, ended.Calls), max(e.Peak.Rows, ended.Rows), max(e.Peak.Writes, ended.Writes),
		max(e.Peak.Deletes, ended.Deletes),
	}
	for day := was / 24; day < hour/24 && day < was/24+60; day++ {
		e.Peak = Use{e.Peak.Calls * 49 / 50, e.Peak.Rows * 49 / 50, e.Peak.Writes * 49 / 50, e.Peak.Deletes * 49 / 50}
	}
	for i := was + 1; i <= hour && i <= was+24; i++ {
		e.Hours[i%24] = Use{}
	}
	e.At = now
}

// hour is the hour under way.
func (e *Entry) hour() *Use { return &e.Hours[int64(e.At)/event.Hour%24] }

const hoursOfWeek = 7 * 24

// ofWeek notes that this hour of the week is used, and reports how often it
// was before and for how many weeks the log is known.
func (e *Entry) ofWeek(at event.Time) (before byte, weeks int64) {
	if e.Week == nil {
		e.Week = make([]byte, hoursOfWeek)
	}
	h := int64(at) / event.Hour % hoursOfWeek
	before = e.Week[h]
	if before < 255 {
		e.Week[h]++
	}
	return before, int64(at-e.First) / (7 * event.Day)
}

// add keeps a finding, unless it was told within a day. Old ones go.
func (e *Entry) add(f Finding) bool {
	e.Found = slices.DeleteFunc(e.Found, func(old Finding) bool { return old.At+foundFor < f.At })
	for i := range e.Found {
		if e.Found[i].Kind == f.Kind {
			return false
		}
	}
	e.Found = append(e.Found, f)
	return true
}

// score is how sure all findings of a day together make one.
func (e *Entry) score() int {
	sum := 0
	for i := range e.Found {
		sum += e.Found[i].Weight
	}
	return sum
}
