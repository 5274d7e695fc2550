package console

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strings"
)

// ImpactRow is what the records of an object that differ are worth.
type ImpactRow struct {
	Integration string `ch:"integration"`
	Object      string `ch:"object"`
	Sentence    string `ch:"sentence"`
}

const impactSQL = `SELECT integration, object, sentence FROM impact ORDER BY amount DESC, integration, object, currency LIMIT 4`

// moneyLine is one sum, and where its records are.
type moneyLine struct {
	Words, Where string
	Href         template.URL
}

func moneyLines(s *Snapshot) (out []moneyLine) {
	for _, r := range s.Impact {
		q := url.Values{"integration": {r.Integration}, "object": {r.Object}}
		out = append(out, moneyLine{Words: capital(r.Sentence), Where: r.Integration, Href: template.URL("/rows/impact_records?" + q.Encode())}) //nolint:gosec // encoded
	}
	return out
}

// worth says what the affected records of an incident that still differ are
// worth, empty where nobody knows.
func (v *visit) worth(ctx context.Context, incident string) (string, error) {
	a, err := v.ask(ctx, "incident_impact", 10, map[string]string{"incident_id": incident})
	if err != nil {
		return "", err
	}
	var sums []string
	var known, all uint64
	for i := range a.Rows {
		amount, _ := a.Value(i, "amount").(float64)
		n, _ := a.Value(i, "records").(uint64)
		all, _ = a.Value(i, "all_records").(uint64)
		currency, _ := a.Value(i, "currency").(string)
		if known += n; n > 0 {
			sums = append(sums, strings.TrimSpace(money(amount)+" "+currency))
		}
	}
	if len(sums) == 0 {
		return "", nil
	}
	return fmt.Sprintf("%s on %d of %s that still differ", strings.Join(sums, " and "), known, plural(all, "record")), nil
}

// money is an amount as short as it may be read.
func money(amount float64) string {
	switch {
	case math.Abs(amount) >= 1e6:
		return fmt.Sprintf("%.1f m", amount/1e6)
	case math.Abs(amount) >= 1e4:
		return fmt.Sprintf("%.0f k", amount/1e3)
	}
	return fmt.Sprintf("%.0f", amount)
}
