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
}

// Normal is one hour's p95 on one basis.
type Normal struct {
	Hour  event.Time `msg:"h"`
	Basis string     `msg:"b"`
	P95   int        `msg:"p"` // bucket
}
