package kpi

import "plumbline.dev/schemas/event"

// Open is an addition to one minute or hour that was not told yet.
type Open struct {
	Tenant string              `msg:"t"`
	Counts []event.Count       `msg:"c"`           // sorted by name
	Failed []uint64            `msg:"f,omitempty"` // see event.KPIMinute
	Missed []event.RecordCount `msg:"m,omitempty"`
}

// Hour is what the rules need of one hour of one integration.
type Hour struct {
	Minutes []Minute `msg:"m"` // sorted, those with anything
}

// Minute is one minute of an integration, all objects together. Attempts stand
// where they ended, deliveries where they were due.
type Minute struct {
	At         event.Time  `msg:"m"`
	OK         int64       `msg:"ok,omitempty"`
	Ended      int64       `msg:"e,omitempty"`
	Failed     []string    `msg:"f,omitempty"` // records whose attempts failed, up to maxFailed
	States     []Tally     `msg:"s,omitempty"` // due deliveries by state, net
	Late       int64       `msg:"l,omitempty"` // of the applied and verified
	Missed     []string    `msg:"x,omitempty"` // records of misses, up to maxFailed
	Histograms []Histogram `msg:"h,omitempty"`
	Failures   int64       `msg:"fn,omitempty"` // classified, collateral ones excepted
	Other      int64       `msg:"fo,omitempty"` // of those, class other
}

// Tally is a number of deliveries.
type Tally struct {
	State string `msg:"s"`
	N     int64  `msg:"n"`
}

// Histogram counts the delivered of one basis.
type Histogram struct {
	Basis   string   `msg:"b"`
	OnTime  int64    `msg:"o,omitempty"`
	Buckets []Bucket `msg:"k"` // sorted
}

// Bucket is one bucket of event.LatencyBucket.
type Bucket struct {
	B int   `msg:"b"`
	N int64 `msg:"n"`
}

// Standing is what is known of an integration beyond its minutes.
type Standing struct {
	Tenant   string     `msg:"t"`
	Since    event.Time `msg:"a,omitempty"` // first heard of, by stream time
	Waiting  int64      `msg:"w,omitempty"` // deliveries observed, attempted, stalled or failed, due or not
	Baseline []Normal   `msg:"b,omitempty"` // hours that are over, oldest first
	Judged   event.Time `msg:"j,omitempty"` // the last minute the rules were applied to
	Looked   event.Time `msg:"l,omitempty"` // the last minute drift and coverage were judged
	Pruned   event.Time `msg:"p,omitempty"` // when what no window needs was last forgotten
	Schema   []Schema   `msg:"x,omitempty"` // signals of the last month that may speed drift up
}

// Schema is a change of a schema, picklist or mapping.
type Schema struct {
	At      event.Time `msg:"a"`
	Summary string     `msg:"s,omitempty"`
}

// Compared is how an object stands in comparisons of whole sets.
type Compared struct {
	Sets []Set `msg:"s"` // sorted by field
	Runs []Run `msg:"r"` // of the last month, those that finished
}

// Set is the newest row of an object's field, "" for the object as a whole.
type Set struct {
	Field     string     `msg:"f,omitempty"`
	State     string     `msg:"s"`
	Critical  bool       `msg:"c,omitempty"`
	Schedule  int64      `msg:"e"`
	Through   event.Time `msg:"t,omitempty"`
	Share     float64    `msg:"h,omitempty"`
	Since     event.Time `msg:"b"` // first heard of
	UpdatedAt event.Time `msg:"u"`
	Version   uint64     `msg:"v"`
}

// Run is one comparison of an object that came to an end.
type Run struct {
	ID       string     `msg:"i"`
	At       event.Time `msg:"a"`
	Compared int64      `msg:"c"`
	Records  int64      `msg:"r"` // on both sides
}

// Shard holds a part of an object's divergences that were confirmed.
type Shard struct {
	List []Drifted `msg:"l"`           // sorted by record, then by divergence
	Full bool      `msg:"f,omitempty"` // there are more
}

// Drifted is a divergence; record and divergence are hashed.
type Drifted struct {
	Record    uint64     `msg:"r"`
	ID        uint64     `msg:"i"`
	Confirmed event.Time `msg:"c"`
	Ended     event.Time `msg:"e,omitempty"` // resolved, or taken out of the count
	Hidden    bool       `msg:"h,omitempty"` // accepted, out of scope, or under way again
	Pre       bool       `msg:"p,omitempty"`
	Duplicate bool       `msg:"d,omitempty"`
	Made      event.Time `msg:"m,omitempty"` // when the record was made, where that was followed
}

// Held are the deliveries of a day's hours that missed their deadline.
type Held struct {
	Hours []HeldHour `msg:"h"` // sorted
}

// HeldHour is one of them.
type HeldHour struct {
	At event.Time `msg:"a"`
	N  int64      `msg:"n"`
}

// Normal is one hour's p95 on one basis.
type Normal struct {
	Hour  event.Time `msg:"h"`
	Basis string     `msg:"b"`
	P95   int        `msg:"p"` // bucket
}
