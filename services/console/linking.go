package console

import "strings"

// LinkRow is how many of a kind of record have their copy in the target.
type LinkRow struct {
	Tenant      string   `ch:"tenant"`
	Integration string   `ch:"integration"`
	Object      string   `ch:"object"`
	Records     int64    `ch:"source_records"`
	Linked      int64    `ch:"linked"`
	Linking     *float64 `ch:"linking"`
}

const linkingSQL = `SELECT tenant, integration, object, source_records, linked, linking FROM linking ORDER BY tenant, integration, object LIMIT 500`

// linkingOf says it of each object of an integration; nothing before the first
// comparison of everything.
func (s *Snapshot) linkingOf(tenant, integration string) string {
	var words []string
	for _, r := range s.Linking {
		if r.Tenant == tenant && r.Integration == integration && r.Linking != nil {
			words = append(words, r.Object+" "+percent(*r.Linking)+" ("+number(uint64(max(r.Linked, 0)))+" of "+number(uint64(max(r.Records, 0)))+")")
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "linking: " + shorten(strings.Join(words, ", "), 200)
}
