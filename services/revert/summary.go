package revert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// batches are how many records the systems take in one call: HubSpot's batch
// update 100, Salesforce's collections 200 (vendors' API references).
var batches = map[string]int{"hubspot": 100, "salesforce": 200}

// Summary counts a plan.
type Summary struct {
	systems map[string]*count
	skipped map[string]int
}

type count struct {
	fields, deletes, restores int
	records                   map[string]bool
}

// Add counts one step.
func (s *Summary) Add(step Step) {
	if s.systems == nil {
		s.systems, s.skipped = map[string]*count{}, map[string]int{}
	}
	if step.Action == Skip {
		reason, _, _ := strings.Cut(step.Reason, " by ")
		s.skipped[reason]++
		return
	}
	c := s.systems[step.System]
	if c == nil {
		c = &count{records: map[string]bool{}}
		s.systems[step.System] = c
	}
	switch step.Action {
	case Set:
		c.fields++
		c.records[step.Object+"/"+step.RecordID] = true
	case Delete:
		c.deletes++
	case Restore:
		c.restores++
	}
}

// Empty reports whether there is nothing to do.
func (s *Summary) Empty() bool { return len(s.systems) == 0 }

// Lines say the plan in words, a line a system and a line a reason to skip.
func (s *Summary) Lines() []string {
	var out []string
	for _, system := range sorted(s.systems) {
		c := s.systems[system]
		size := cmp.Or(batches[system], 1)
		calls := (len(c.records)+size-1)/size + (c.deletes+size-1)/size + (c.restores+size-1)/size
		out = append(out, fmt.Sprintf("%s: set %d fields of %d records, delete %d records it made, restore %d it deleted: about %d calls of up to %d records",
			system, c.fields, len(c.records), c.deletes, c.restores, calls, size))
	}
	for _, reason := range sorted(s.skipped) {
		out = append(out, fmt.Sprintf("skipped %d: %s", s.skipped[reason], reason))
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
