package reconcile

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/alert"
	"plumbline.dev/pipelines/resolve"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/simulate/crm"
)

// watcher is what becomes of signals: through resolve to the alerts.
type watcher struct {
	t       *testing.T
	w       *world
	r       *Role
	resolve stream.Operator
	alerts  stream.Operator
	now     event.Time
	states  map[string]*event.Alert
}

func watched(t *testing.T) *watcher {
	w := newWorld(t)
	for n := range 5 {
		w.pair(n)
	}
	return &watcher{
		t: t, w: w, r: w.role(), resolve: resolve.New(resolve.Options{Integrations: w.cfg.Integrations}), alerts: alert.New(""),
		now: event.At(w.role().o.Clock.Now()), states: map[string]*event.Alert{},
	}
}

// look lets the schema watch look once, and returns the signals it told.
func (x *watcher) look() (told []*event.Signal) {
	x.t.Helper()
	x.w.produced.take()
	require.NoError(x.t, x.r.schema(x.t.Context(), x.r.subjects[0]))
	for _, m := range x.w.produced.take() {
		told = append(told, m.Event.(*event.Signal))
		x.now += 1000
		ctx := stream.Ctx{Now: x.now}
		var out, alerts stream.Out
		x.resolve.Step(ctx, m.Key, m.Event, &out)
		for _, o := range out.List {
			if o.Topic == topic.Partials {
				x.alerts.Step(ctx, o.Key, o.Event, &alerts)
			}
		}
		x.hear(&alerts)
	}
	return told
}

func (x *watcher) hear(out *stream.Out) {
	for _, o := range out.List {
		if a, ok := o.Event.(*event.Alert); ok && o.Topic == topic.AlertStates && a.Rule == event.RuleSchema {
			x.states[a.Subject] = a
		}
	}
}

// calm lets the time pass in which an alert must stay clear.
func (x *watcher) calm() {
	x.now += 10 * event.Minute
	var out stream.Out
	x.alerts.Tick(stream.Ctx{Now: x.now}, &out)
	x.hear(&out)
}

// write does what the sync would.
func (x *watcher) written() bool {
	s := x.w.source.Rows[0]
	org := &crm.Salesforce{Tables: map[string]*crm.Table{"Contact": x.w.target}}
	a := org.Upsert("Contact", s.ID, map[string]string{"MailingCity": s.Values["city"], "Stage__c": "Customer"}, "005SYNC", old)
	return a.Status < 300
}

// A breaking change of schema is an alert before the first write fails by it,
// and ends when the schema is mended.
func TestBreakingSchemaAlertsBeforeTheFirstFailedWrite(t *testing.T) {
	x := watched(t)
	require.Empty(t, x.look(), "a first look has nothing to compare, and nothing is broken")
	require.Empty(t, x.look(), "nothing changed")
	require.True(t, x.written())

	city := x.w.target.Field("MailingCity")
	city.Name = "MailingCity_v2__c"
	stage := x.w.target.Field("Stage__c")
	stage.Options = []string{"Lead", "Prospect"}
	x.w.target.Field("Score__c").Type = "date"
	told := x.look()
	kinds := map[string]string{}
	for _, s := range told {
		kinds[s.Kind+" "+s.Field] = s.Summary
	}
	require.Equal(t, map[string]string{
		"schema_change city":    "salesforce Contact.MailingCity is gone, and MailingCity_v2__c looks like it: renamed",
		"schema_change score":   kinds["schema_change score"],
		"picklist_change stage": "'Customer' left and 'Prospect' joined the picklist of salesforce Contact.Stage__c",
		"mapping_break city":    "salesforce has no Contact.MailingCity (any more): writes that carry it are refused; MailingCity_v2__c looks like it",
		"mapping_break score":   kinds["mapping_break score"],
		"mapping_break stage":   "'customer' of hubspot contact.stage is no option of salesforce Contact.Stage__c: writes with it are refused",
	}, kinds)
	for _, field := range []string{"city", "score", "stage"} {
		a := x.states["hs-sf/salesforce/contact."+field]
		require.NotNil(t, a, field)
		require.Equal(t, event.AlertFiring, a.Status)
		require.NotEmpty(t, a.FirstStep)
	}
	require.False(t, x.written(), "and now the first write fails")
	require.Empty(t, x.look(), "what is known is not told again")

	city.Name, stage.Options, x.w.target.Field("Score__c").Type = "MailingCity", []string{"Lead", "Customer"}, ""
	x.look()
	x.calm()
	for subject, a := range x.states {
		require.Equal(t, event.AlertResolved, a.Status, subject)
	}
}

// What creates must carry from now on is told, and stays until it is mapped or
// optional again.
func TestFieldThatBecomesRequired(t *testing.T) {
	x := watched(t)
	x.w.target.Fields = append(x.w.target.Fields, crm.Field{Name: "Region__c"})
	x.look()
	x.w.target.Field("Region__c").Required = true
	told := x.look()
	require.True(t, slices.ContainsFunc(told, func(s *event.Signal) bool {
		return s.Kind == event.SignalMappingBreak && s.Field == "Region__c" && s.EndedAt == 0
	}))
	require.Empty(t, x.look())
	x.w.target.Field("Region__c").Required = false
	told = x.look()
	require.Len(t, told, 1)
	require.NotZero(t, told[0].EndedAt)
}

func TestAddedAndShortenedFields(t *testing.T) {
	x := watched(t)
	x.look()
	x.w.target.Fields = append(x.w.target.Fields, crm.Field{Name: "New__c", Type: "date"})
	x.w.target.Field("MailingCity").Max = 20
	var what []string
	for _, s := range x.look() {
		v, _ := event.Find(s.Detail, "what")
		what = append(what, s.Kind+" "+s.Field+" "+v.Text)
	}
	require.Equal(t, []string{"schema_change city shorter", "schema_change New__c added"}, what)
}
