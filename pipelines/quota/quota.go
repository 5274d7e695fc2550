package quota

import (
	"fmt"
	"strconv"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// calmFor is how long nothing must be foreseen before the signal ends.
const calmFor = event.Hour

// Operator folds one partition of partials.
type Operator struct {
	*stream.Keyed[Account, *Account]
}

// New makes the operator.
func New() *Operator { return &Operator{stream.NewKeyed[Account](fold{})} }

// Step implements stream.Operator.
func (o *Operator) Step(ctx stream.Ctx, _ string, ev event.Event, out *stream.Out) {
	if s, ok := ev.(*event.Signal); ok && s.Kind == event.SignalUsage {
		o.Keyed.Step(ctx, s.Tenant+"/"+s.System, s, out)
	}
}

type fold struct{}

// Step implements stream.Fold.
func (fold) Step(_ stream.Ctx, _ string, a *Account, ev event.Event, out *stream.Out) {
	s := ev.(*event.Signal)
	used, limit := number(s, "used"), number(s, "max")
	if limit <= 0 || used < 0 {
		return
	}
	a.Tenant, a.System = s.Tenant, s.System
	if !a.take(s.StartedAt, used, limit) {
		return
	}
	f, ends := a.forecast()
	switch {
	case ends:
		a.Calm = 0
		if a.Began == 0 {
			a.Began = s.StartedAt
		}
		a.tell(s, f, 0, out)
	case a.Began != 0 && a.Calm == 0:
		a.Calm = s.StartedAt
	case a.Began != 0 && s.StartedAt-a.Calm >= calmFor:
		a.tell(s, f, s.StartedAt, out)
		a.Began, a.Calm = 0, 0
	}
}

// Timer implements stream.Fold.
func (fold) Timer(_ stream.Ctx, _ string, a *Account, _ *stream.Out) { *a = Account{} }

// tell says the forecast; each reading sharpens it.
func (a *Account) tell(s *event.Signal, f Forecast, ended event.Time, out *stream.Out) {
	used := number(s, "used")
	q := &event.Signal{
		ID:     event.Hash("quota", a.Tenant, a.System, s.Integration, strconv.FormatInt(int64(a.Began), 10), strconv.FormatInt(int64(s.StartedAt), 10)),
		Tenant: a.Tenant, Integration: s.Integration, Kind: event.SignalQuota, System: a.System, StartedAt: a.Began, EndedAt: ended,
		ReceivedAt: s.StartedAt,
	}
	if ended != 0 {
		q.Summary = fmt.Sprintf("%s: %d of %d calls are used, and they last", a.System, used, a.Max)
		out.Emit(topic.Signals, a.Tenant, q)
		return
	}
	q.Summary = fmt.Sprintf("%s: %d of %d calls are used; at %.0f an hour they end at %s (between %s and %s). %s",
		a.System, used, a.Max, f.PerHour, clock(f.At), clock(f.Low), clock(f.High), Stops(a.System))
	q.Detail = []event.Field{
		text("ends_at", f.At.String()), text("ends_earliest", f.Low.String()), text("ends_latest", f.High.String()),
		text("max", strconv.FormatInt(a.Max, 10)), text("per_hour", strconv.FormatFloat(f.PerHour, 'f', 0, 64)),
		text("used", strconv.FormatInt(used, 10)),
	}
	out.Emit(topic.Signals, a.Tenant, q)
}

func clock(t event.Time) string { return t.Std().Format("15:04 UTC on 2 Jan") }

func text(name, v string) event.Field { return event.Field{Name: name, Value: event.Value{Text: v}} }

// Stops says what ends, and whether anybody is told of it.
// HubSpot: knowledge.hubspot.com, errored syncs and the API call limit of the
// Salesforce integration. Salesforce: API request limits and allocations.
func Stops(system string) string {
	switch system {
	case "salesforce":
		return "HubSpot's connector stops retrying errored records already near 75 % of its allocation, without an error; at the end every API client is refused with REQUEST_LIMIT_EXCEEDED."
	case "hubspot":
		return "At the end every private app of the account is refused with 429 until midnight of the account's time zone."
	}
	return "At the end every client of the account is refused."
}

func number(s *event.Signal, name string) int64 {
	v, _ := event.Find(s.Detail, name)
	n, err := strconv.ParseInt(v.Text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
