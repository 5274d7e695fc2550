package console

import "html/template"

// silent is the first block: what the target acknowledged and never took.
type silent struct {
	N     uint64
	Rows  []silentRow
	More  uint64
	Proof string // what stands behind the number, above all behind a zero
	Weak  bool   // it rests on little
}

type silentRow struct {
	ID, Record, Integration, What string
	Changed, Acknowledged, Found  template.HTML
}

func newSilent(s *Snapshot) silent {
	out := silent{}
	for _, r := range s.Success {
		if r.Object == "" && r.Series == "" {
			out.N += r.SilentFailures
		}
	}
	for _, d := range s.Silent {
		row := silentRow{
			ID: d.DeliveryID, Record: d.RecordKey, Integration: d.Integration, What: "not applied", Acknowledged: "–",
			Changed: moment(d.ChangedAt, s.At), Found: moment(d.UpdatedAt, s.At),
		}
		if d.Coerced {
			row.What = "another value was written"
		}
		if d.AcknowledgedAt != nil {
			row.Acknowledged = moment(*d.AcknowledgedAt, s.At)
		}
		out.Rows = append(out.Rows, row)
	}
	out.More = out.N - min(out.N, uint64(len(out.Rows)))
	out.Proof, out.Weak = proof(s)
	return out
}

// proof says how many acknowledged changes anybody looked at: a zero nobody
// checked proves nothing.
func proof(s *Snapshot) (words string, weak bool) {
	var checked, believed uint64
	for _, r := range s.States {
		switch r.State {
		case "applied", "verified", "not_applied", "overwritten":
			checked += r.N
		case "acknowledged", "unobserved":
			believed += r.N
		}
	}
	switch {
	case checked+believed == 0:
		return "No change reached the target in the " + s.Window.Words + ", so there was nothing to check.", true
	case checked == 0:
		return "Nobody looks at the target: " + plural(believed, "acknowledged change") +
			" went unchecked, so this number proves nothing yet. Give Plumbline read access to it.", true
	case believed == 0:
		return "All " + number(checked) + " delivered changes were looked up in the target.", false
	}
	return number(checked) + " of " + number(checked+believed) + " delivered changes were looked up in the target.",
		checked < believed
}
