package attribute

import (
	"math"

	"plumbline.dev/schemas/event"
)

// view is who uses a provider just now, and who fails how: of tenants, or of
// lines where there is one tenant only.
type view struct {
	tenants bool
	units   map[string]*unit
}

type unit struct {
	failing map[string]bool // by class
}

// look makes the view of a provider.
func (a *Attribute) look(provider string, now event.Time, views map[string]*view) *view {
	if v := views[provider]; v != nil {
		return v
	}
	v := &view{units: map[string]*unit{}}
	tenants := map[string]bool{}
	var lines []*Line
	for _, key := range a.lines.Keys() {
		l := a.lines.Get(key)
		if l.Provider == provider && l.Seen+2*recent >= now {
			lines = append(lines, l)
			tenants[l.Tenant] = true
		}
	}
	v.tenants = len(tenants) > 1
	for _, l := range lines {
		u := v.units[v.unitOf(l)]
		if u == nil {
			u = &unit{failing: map[string]bool{}}
			v.units[v.unitOf(l)] = u
		}
		for i := range l.Spells {
			if s := &l.Spells[i]; s.Last+recent >= now && s.N > 0 {
				u.failing[s.Class] = true
			}
		}
	}
	views[provider] = v
	return v
}

func (v *view) unitOf(l *Line) string {
	if v.tenants {
		return l.Tenant
	}
	return l.Integration + "\x1f" + l.Token
}

// others counts those beside the line's own: all, those that fail in the same
// class, and those that fail in another way that an outage may show.
func (v *view) others(l *Line, class string) (n, alike, otherwise int) {
	own := v.unitOf(l)
	for name, u := range v.units {
		if name == own {
			continue
		}
		n++
		switch {
		case u.failing[class]:
			alike++
		case u.failing[event.ClassVendorOutage] || u.failing[event.ClassNetwork] || u.failing[event.ClassAuth]:
			otherwise++
		}
	}
	return n, alike, otherwise
}

// How likely somebody fails at a time: when nothing is wrong at the vendor,
// and when an outage, perhaps of one region, is on.
const (
	baseRate   = 0.02
	outageRate = 0.3
)

// breadth is how the others beside a line's own customer, or integration, do.
type breadth struct {
	n, alike, otherwise int
	who                 string
}

// breadth asks what the tenant was told of the others; a tenant that is alone
// compares its own integrations.
func (a *Attribute) breadth(l *Line, class string, now event.Time, views map[string]*view) *breadth {
	v := a.look(l.Provider, now, views)
	b := &breadth{who: "customers"}
	b.n, b.alike, b.otherwise = v.others(l, class)
	if !v.tenants {
		b.who = "integrations"
	}
	if n, alike, otherwise, ok := a.others(l, class, now); ok && n >= b.n {
		*b = breadth{n, alike, otherwise, "customers"}
	}
	return b
}

// odds is the log of how much likelier an outage makes what the others show.
// Those who fail in another way count a third.
func (b *breadth) odds() float64 {
	hit, miss := math.Log(outageRate/baseRate), math.Log((1-outageRate)/(1-baseRate))
	x := hit*(float64(b.alike)+float64(b.otherwise)/3) + miss*float64(b.n-b.alike-b.otherwise)
	return min(max(x, -4), 8)
}
