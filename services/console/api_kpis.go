package console

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"plumbline.dev/services/console/ask"
)

// apiKPI is one KPI row; beside holds what is shown next to it.
type apiKPI struct {
	KPI          string     `json:"kpi"`
	Tenant       string     `json:"tenant"`
	Integration  string     `json:"integration"`
	Object       string     `json:"object"`
	Series       string     `json:"series"`
	Value        *float64   `json:"value"`
	Unit         string     `json:"unit"`
	Numerator    uint64     `json:"numerator"`
	Denominator  uint64     `json:"denominator"`
	Samples      uint64     `json:"samples"`
	Target       float64    `json:"target"`
	Warning      *float64   `json:"warning"`
	TargetMet    *bool      `json:"target_met"`
	WarningFired *bool      `json:"warning_fired"`
	Status       string     `json:"status"`
	Severity     string     `json:"severity"`
	Reason       string     `json:"reason"`
	Detail       string     `json:"detail"`
	Basis        string     `json:"basis"`
	DataThrough  *time.Time `json:"data_through"`
	Beside       any        `json:"beside"`
}

type successBeside struct {
	WorstDay          *float64 `json:"worst_day"`
	RecordSuccessRate *float64 `json:"record_success_rate"`
	FirstTryRate      *float64 `json:"first_try_rate"`
	AttemptsPerRecord *float64 `json:"attempts_per_record"`
	SilentFailures    uint64   `json:"silent_failures"`
	VendorOutageShare *float64 `json:"vendor_outage_share"`
	WaitingChanges    uint64   `json:"waiting_changes"`
}

type latencyBeside struct {
	P50           *float64 `json:"p50_ms"` // of whole integrations only
	AtLeast       bool     `json:"at_least"`
	StartBasis    string   `json:"start_basis"`
	Resolution    int64    `json:"resolution_ms"`
	OnTimeShare   *float64 `json:"on_time_share"`
	OldestWaiting *int64   `json:"oldest_waiting_ms"`
	Backlog       uint64   `json:"backlog"`
	Baseline      *float64 `json:"baseline_ms"`
	Due           uint64   `json:"due"`
}

type kpisAnswer struct {
	Window      string    `json:"window"`
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
	ReadAt      time.Time `json:"read_at"`
	Stale       bool      `json:"stale"`
	Error       string    `json:"error"`
	Demo        bool      `json:"demo"`
	KPIs        []apiKPI  `json:"kpis"`
}

// apiKPIs answers what the page shows. When ClickHouse is away it answers the
// last numbers and says so in stale and error; without any, 503.
func (s *Server) apiKPIs(w http.ResponseWriter, r *http.Request) {
	win, ok := findWindow(r.URL.Query().Get("window"))
	if !ok {
		s.refuse(w, ask.Problem("window: choose 1h, 24h, 7d or 30d"))
		return
	}
	st := s.snapshot(r.Context(), person(r), win)
	if !st.Has {
		s.refuse(w, cmp.Or(st.Err, context.DeadlineExceeded))
		return
	}
	message := ""
	if st.Err != nil {
		message, _ = excuse(st.Err)
	}
	snap := st.Value
	s.answer(w, http.StatusOK, kpisAnswer{
		win.Name, snap.From, snap.To, snap.At, st.Err != nil, message, s.o.Demo,
		snap.kpis(r.URL.Query().Get("tenant"), r.URL.Query().Get("integration")),
	})
}

func (s *Snapshot) kpis(tenant, integration string) []apiKPI {
	out := []apiKPI{}
	wanted := func(r kpiRow) bool {
		return (tenant == "" || r.Tenant == tenant) && (integration == "" || r.Integration == integration)
	}
	for _, r := range s.Success {
		if wanted(r.kpiRow) {
			out = append(out, newAPIKPI("sync_success_rate", r.kpiRow, successBeside{
				r.WorstDay, r.RecordSuccessRate, r.FirstTryRate, r.AttemptsPerRecord, r.SilentFailures, r.VendorOutageShare, r.WaitingChanges,
			}))
		}
	}
	for _, r := range s.Latency {
		if wanted(r.kpiRow) {
			b := latencyBeside{
				nil, r.AtLeast, r.StartBasis, r.Resolution, r.OnTimeShare, r.OldestWaiting, r.Backlog, r.Baseline, r.Due,
			}
			if r.Object == "" && r.Series == "" {
				b.P50 = s.median(r)
			}
			out = append(out, newAPIKPI("sync_latency", r.kpiRow, b))
		}
	}
	return out
}

func newAPIKPI(name string, r kpiRow, beside any) apiKPI {
	return apiKPI{
		name, r.Tenant, r.Integration, r.Object, r.Series, r.Value, r.Unit, r.Numerator, r.Denominator, r.Samples, r.Target,
		r.Warning, flag(r.TargetMet), flag(r.WarningFired), r.Status, r.Severity, r.Reason, r.Detail, r.Basis, r.DataThrough, beside,
	}
}

func flag(v *uint8) *bool {
	if v == nil {
		return nil
	}
	b := *v != 0
	return &b
}
