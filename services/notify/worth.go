package notify

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
)

// Read asks ClickHouse under limits.
type Read func(ctx context.Context, l warehouse.Limits, dest any, sql string, args ...any) error

const (
	// worthWait is how long a message may wait for its sum: it goes without.
	worthWait = 2 * time.Second
	// worthFor is how long a sum holds, and how long nobody is asked after an error.
	worthFor = time.Minute
	// worthAsks is how many sums are asked for in that time: more have none.
	worthAsks = 20
)

// worth says what the records behind alerts are worth, as long as it is fresh.
type worth struct {
	read  Read
	log   *zap.Logger
	known map[string]sum // by incident, or integration and object
	since time.Time      // of the asks
	asks  int
	rest  time.Time // nobody is asked before
}

type sum struct {
	at    time.Time
	words string
}

func newWorth(read Read, log *zap.Logger) *worth {
	return &worth{read: read, log: log, known: map[string]sum{}}
}

// of is the sum in words, empty where nobody knows it.
func (w *worth) of(a *event.Alert, now time.Time) string {
	subject := a.IncidentID
	if a.Rule == event.RuleDrift {
		subject = a.Integration + "/" + a.Object
	}
	if w.read == nil || a.Status != event.AlertFiring || subject == "" {
		return ""
	}
	if s, ok := w.known[subject]; ok && now.Sub(s.at) < worthFor {
		return s.words
	}
	if now.Sub(w.since) >= worthFor {
		w.since, w.asks = now, 0
		for k, s := range w.known {
			if now.Sub(s.at) >= worthFor {
				delete(w.known, k)
			}
		}
	}
	if w.asks >= worthAsks || now.Before(w.rest) {
		return ""
	}
	w.asks++
	words, err := w.ask(a)
	if err != nil { // a message is worth more than its sum
		w.rest = now.Add(worthFor)
		w.log.Debug("cannot say what the records are worth", zap.Error(err))
		return ""
	}
	w.known[subject] = sum{now, words}
	return words
}

type worthRow struct {
	Currency string  `ch:"currency"`
	Amount   float64 `ch:"amount"`
	Known    uint64  `ch:"known"`
	All      uint64  `ch:"all_records"`
}

const (
	worthSums = `SELECT toString(currency) AS currency, ifNull(sum(r.amount), 0) AS amount, countIf(r.amount IS NOT NULL) AS known, sum(count()) OVER () AS all_records
FROM impact_records AS r WHERE r.integration = ? AND `
	worthOrder = ` GROUP BY currency ORDER BY amount DESC, currency LIMIT 10`
	ofIncident = `(r.object, r.record_key) IN (SELECT splitByChar('/', x)[1], splitByChar('#', substring(x, position(x, '/') + 1))[1]
FROM incidents ARRAY JOIN records AS x WHERE incident_id = ?)`
	ofObject = `(? = '' OR r.object = ?)`
)

func (w *worth) ask(a *event.Alert) (string, error) { return Worth(w.read, a) }

// Worth says what the records behind an alert are worth.
func Worth(read Read, a *event.Alert) (string, error) {
	limits := warehouse.Limits{Time: worthWait, Rows: 100, Memory: 512 << 20, Threads: 1, Tenants: []string{a.Tenant}}
	var rows []worthRow
	ctx := context.Background() // its limits end it
	var err error
	if a.Rule == event.RuleDrift {
		err = read(ctx, limits, &rows, worthSums+ofObject+worthOrder, a.Integration, a.Object, a.Object)
	} else {
		err = read(ctx, limits, &rows, worthSums+ofIncident+worthOrder, a.Integration, a.IncidentID)
	}
	return inMoney(rows), err
}

// inMoney adds up known values, currencies apart.
func inMoney(rows []worthRow) string {
	var sums []string
	var known, all uint64
	for _, r := range rows {
		known, all = known+r.Known, r.All
		if r.Known > 0 {
			sums = append(sums, strings.TrimSpace(amount(r.Amount)+" "+r.Currency))
		}
	}
	if len(sums) == 0 {
		return ""
	}
	if len(sums) > 3 {
		sums = append(sums[:3], fmt.Sprintf("%d currencies more", len(sums)-3))
	}
	differ := "record that still differs"
	if all != 1 {
		differ = "records that still differ"
	}
	return fmt.Sprintf("%s on %d of %d %s", strings.Join(sums, " and "), known, all, differ)
}

// amount is a sum as short as it may be read.
func amount(v float64) string {
	switch {
	case math.Abs(v) >= 1e6:
		return fmt.Sprintf("%.1f m", v/1e6)
	case math.Abs(v) >= 1e4:
		return fmt.Sprintf("%.0f k", v/1e3)
	}
	return fmt.Sprintf("%.0f", v)
}
