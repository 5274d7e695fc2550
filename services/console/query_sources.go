package console

import (
	"strings"
	"time"
)

// SourceRow is what came in through one door in the last day.
type SourceRow struct {
	Tenant      string    `ch:"tenant"`
	Integration string    `ch:"integration"`
	Kind        string    `ch:"kind"` // changes, attempts, observations
	Side        string    `ch:"side"`
	System      string    `ch:"system"`
	Door        string    `ch:"door"` // hook or sender
	Last        time.Time `ch:"newest"`
	First       time.Time `ch:"oldest"`
	Minutes     uint64    `ch:"minutes"` // rows of the last five minutes
	Day         uint64    `ch:"day"`
}

const quietAfter = 5 * time.Minute

// sourcesSQL counts raw rows: freshness is about what arrived, and a copy
// arrived too. Parts outside the day are never read.
func sourcesSQL(now string) string {
	var parts []string
	for _, t := range []struct{ kind, side, door string }{
		{"changes", "side", "hook"}, {"attempts", "''", "sender"}, {"observations", "side", "found_by"},
	} {
		parts = append(parts, `SELECT tenant, integration, '`+t.kind+`' AS kind, toString(`+t.side+`) AS side, toString(system) AS system,
	toString(`+t.door+`) AS door, max(received_at) AS newest, min(received_at) AS oldest,
	countIf(received_at > toDateTime64('`+now+`', 3, 'UTC') - 300) AS minutes, count() AS day
FROM `+t.kind+`_raw WHERE received_at > toDateTime64('`+now+`', 3, 'UTC') - 86400
GROUP BY tenant, integration, kind, side, system, door`)
	}
	return strings.Join(parts, "\nUNION ALL\n") + "\nORDER BY tenant, integration, kind, side, system, door"
}

// Rhythm is whether a source speaks.
type Rhythm string

// A quiet source said nothing for minutes, which may be its way. A stalled one
// is silent for ten times what is usual for it.
const (
	Flowing Rhythm = "flowing"
	Quiet   Rhythm = "quiet"
	Stalled Rhythm = "stalled"
	Lossy   Rhythm = "lossy" // some of what it sends does not arrive
)

const (
	enoughRows  = 20 // to say what is usual
	unusualGaps = 10
)

func (r SourceRow) rhythm(now time.Time) Rhythm {
	silent := now.Sub(r.Last)
	switch {
	case silent < quietAfter:
		return Flowing
	case r.Day >= enoughRows && silent > unusualGaps*r.gap():
		return Stalled
	}
	return Quiet
}

// gap is the usual time between two rows.
func (r SourceRow) gap() time.Duration {
	if r.Day < 2 {
		return 0
	}
	return r.Last.Sub(r.First) / time.Duration(r.Day-1)
}
