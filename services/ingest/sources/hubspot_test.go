package sources

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

var update = flag.Bool("update", false, "rewrite golden files")

var meta = Meta{Hook: "main", ReceivedAt: 1_705_422_500_000}

func TestHubSpotGolden(t *testing.T) {
	for name, ignored := range map[string]int{"classic": 1, "platform": 0} {
		body, err := os.ReadFile("testdata/" + name + ".json")
		require.NoError(t, err)
		r, err := HubSpot(body, meta)
		require.NoError(t, err)
		require.Empty(t, r.Bad)
		require.Equal(t, ignored, r.Ignored)
		got, err := json.MarshalIndent(r.Changes, "", " ")
		require.NoError(t, err)
		golden := "testdata/" + name + ".golden"
		if *update {
			require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got)+"\n")
		for _, c := range r.Changes {
			require.NoError(t, c.Validate())
		}
	}
}

func ev(extra string) string {
	return `{"eventId":1,"subscriptionId":2,"portalId":3,"occurredAt":1705422467780,"subscriptionType":"contact.propertyChange",` +
		`"attemptNumber":0,"objectId":4,"propertyName":"p","propertyValue":"v","changeSource":"CRM_UI"` + extra + `}`
}

func decode(t *testing.T, body string) Result {
	t.Helper()
	r, err := HubSpot([]byte(body), meta)
	require.NoError(t, err)
	return r
}

func TestHubSpotID(t *testing.T) {
	a := decode(t, ev("")).Changes[0]
	require.Equal(t, event.Hash("3", "2", "1", "4", "1705422467780", "p"), a.ID)
	again := decode(t, strings.Replace(ev(""), `"attemptNumber":0`, `"attemptNumber":7`, 1)).Changes[0]
	require.Equal(t, a.ID, again.ID, "a redelivery is the same event")
	require.Equal(t, a.BodyHash, again.BodyHash)
	require.Equal(t, 7, again.Redelivery)
	other := decode(t, strings.Replace(ev(""), `"v"`, `"w"`, 1)).Changes[0]
	require.Equal(t, a.ID, other.ID)
	require.NotEqual(t, a.BodyHash, other.BodyHash, "one id, two contents: told apart")
	spaced := decode(t, strings.ReplaceAll(ev(""), ",", " ,\n")).Changes[0]
	require.Equal(t, a.BodyHash, spaced.BodyHash, "white space is not content")
	escaped := decode(t, strings.Replace(ev(""), `"v"`, `"\u0076"`, 1)).Changes[0]
	require.Equal(t, a.BodyHash, escaped.BodyHash)
	require.Equal(t, a.Fields, escaped.Fields)
}

// Whatever the order of a save's events in the body, it is one change with
// one id; and a body sent again gives the same ids.
func TestHubSpotJoins(t *testing.T) {
	var events []string
	for i := range 20 {
		e := strings.NewReplacer(`"eventId":1`, fmt.Sprintf(`"eventId":%d`, 100+i), `"p"`, fmt.Sprintf(`"p%02d"`, i)).Replace(ev(""))
		events = append(events, e)
	}
	want := decode(t, "["+strings.Join(events, ",")+"]").Changes
	require.Len(t, want, 1)
	require.Len(t, want[0].Fields, 20)
	for range 20 {
		rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		require.Equal(t, want, decode(t, "["+strings.Join(events, ",")+"]").Changes)
	}
	require.NotEqual(t, want[0].ID, decode(t, "["+strings.Join(events[1:], ",")+"]").Changes[0].ID)
}

func TestHubSpotJoinsOnlyOneSave(t *testing.T) {
	second := strings.Replace(ev(""), `"eventId":1`, `"eventId":9`, 1)
	for name, tc := range map[string]struct {
		replace []string
		changes int
	}{
		"another property":                {[]string{`"p"`, `"q"`}, 1},
		"same property, same value":       {nil, 1},
		"same property, another value":    {[]string{`"v"`, `"w"`}, 2},
		"another millisecond":             {[]string{"780,", "781,", `"p"`, `"q"`}, 2},
		"another record":                  {[]string{`"objectId":4`, `"objectId":5`, `"p"`, `"q"`}, 2},
		"another source":                  {[]string{"CRM_UI", "API", `"p"`, `"q"`}, 2},
		"another portal":                  {[]string{`"portalId":3`, `"portalId":8`, `"p"`, `"q"`}, 2},
		"another object":                  {[]string{"contact.", "company.", `"p"`, `"q"`}, 2},
		"a value too large to join":       {[]string{`"v"`, `"` + strings.Repeat("x", hubspotJoin) + `"`, `"p"`, `"q"`}, 2},
		"another operation on the record": {[]string{"propertyChange", "restore"}, 2},
	} {
		r := decode(t, "["+ev("")+","+strings.NewReplacer(tc.replace...).Replace(second)+"]")
		require.Len(t, r.Changes, tc.changes, name)
		require.Empty(t, r.Bad, name)
	}
	twice := decode(t, "["+ev("")+","+ev("")+"]")
	require.Equal(t, decode(t, ev("")).Changes, twice.Changes, "an event that stands twice in a body is one")
}

func TestHubSpotMixedBatch(t *testing.T) {
	var events []string
	for i := range 100 {
		events = append(events, strings.Replace(ev(""), `"objectId":4`, fmt.Sprintf(`"objectId":%d`, 1000+i), 1))
	}
	events[41] = strings.Replace(events[41], "1705422467780", `"yesterday"`, 1)
	r := decode(t, "["+strings.Join(events, ",")+"]")
	require.Len(t, r.Changes, 99)
	require.Len(t, r.Bad, 1)
	require.Equal(t, wire.Bad{Index: 41, Bytes: []byte(events[41]), Code: wire.CodeInvalid, Reason: "occurredAt is not a time in milliseconds"}, r.Bad[0])
}

// Hostile elements: each is refused alone, always for the same reason.
func TestHubSpotHostile(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, tc := range map[string]struct{ element, reason string }{
		"duplicate name":    {ev(`,"objectId":5`), "a name stands twice in one object"},
		"other case":        {strings.Replace(ev(""), `"objectId"`, `"ObjectID"`, 1), "objectId is missing"},
		"huge exponent":     {strings.Replace(ev(""), `"objectId":4`, `"objectId":1e400`, 1), "objectId is not an id: expected text or a whole number"},
		"float id":          {strings.Replace(ev(""), `"objectId":4`, `"objectId":4.0`, 1), "objectId is not an id: expected text or a whole number"},
		"object id":         {strings.Replace(ev(""), `"objectId":4`, `"objectId":{}`, 1), "objectId is not an id: expected text or a whole number"},
		"lone surrogate":    {strings.Replace(ev(""), `"v"`, `"\ud800"`, 1), "not JSON at byte "},
		"invalid UTF-8":     {strings.Replace(ev(""), `"v"`, "\"\xff\"", 1), "not JSON at byte "},
		"NUL in a name":     {strings.Replace(ev(""), `"p"`, `"p\u0000"`, 1), "propertyName contains a control character"},
		"separator in name": {strings.Replace(ev(""), `"p"`, `"p\u001fq"`, 1), "propertyName contains a control character"},
		"long id":           {strings.Replace(ev(""), `"objectId":4`, `"objectId":`+strings.Repeat("9", 600), 1), "objectId is longer than 512 bytes"},
		"no type":           {strings.Replace(ev(""), "subscriptionType", "subscription", 1), "subscriptionType is missing"},
		"no portal":         {strings.Replace(ev(""), "portalId", "portal", 1), "portalId is missing"},
		"no time":           {strings.Replace(ev(""), "occurredAt", "occurred", 1), "occurredAt is missing"},
		"negative time":     {strings.Replace(ev(""), "1705422467780", "-5", 1), "occurredAt is not a time in milliseconds"},
		"no property":       {strings.Replace(ev(""), "propertyName", "property", 1), "propertyName is missing"},
		"type of object":    {strings.Replace(ev(""), "contact.", "object.", 1), "objectTypeId is missing"},
		"slash in the type": {strings.Replace(ev(`,"objectTypeId":"a/b"`), "contact.", "object.", 1), `objectTypeId "a/b" is not an object type`},
		"no object":         {`7`, "element is not an object"},
		"nested array":      {deep, "element is not an object"},
		"broken inside":     {`{"a":}`, "not JSON at byte "},
	} {
		t.Run(name, func(t *testing.T) {
			r := decode(t, "["+ev("")+","+tc.element+"]")
			require.Len(t, r.Changes, 1)
			require.Len(t, r.Bad, 1)
			require.Contains(t, r.Bad[0].Reason, tc.reason)
			require.Equal(t, tc.element, string(r.Bad[0].Bytes))
		})
	}
}

func TestHubSpotKeepsDigitsAndText(t *testing.T) {
	c := decode(t, strings.NewReplacer(`"objectId":4`, `"objectId":9223372036854775809`, `"v"`, `9007199254740993`).Replace(ev(""))).Changes[0]
	require.Equal(t, "9223372036854775809", c.RecordID)
	require.Equal(t, event.Value{Kind: event.KindNumber, Text: "9007199254740993"}, c.Fields[0].Value)
	c = decode(t, strings.Replace(ev(""), `"v"`, `"a\u0000b"`, 1)).Changes[0]
	require.Equal(t, "a\x00b", c.Fields[0].Value.Text, "a value is kept as it is")
	c = decode(t, strings.Replace(ev(""), `"v"`, `null`, 1)).Changes[0]
	require.Equal(t, event.KindNull, c.Fields[0].Value.Kind)
}

func TestHubSpotRefusesBodies(t *testing.T) {
	for _, body := range []string{
		"", " ", "hello", "7", `"x"`, "[", "[" + ev(""), ev("")[:50], "[" + ev("") + ev("") + "]", "[" + ev("") + "] x", "[}", "{]", "[x]",
		"[" + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "]",
		`[{"a":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 101) + "]",
	} {
		_, err := HubSpot([]byte(body), meta)
		require.ErrorIs(t, err, wire.ErrSyntax, "%.40q", body)
	}
	_, err := HubSpot([]byte("["+strings.Repeat("{},", hubspotMax)+"{}]"), meta)
	require.ErrorIs(t, err, wire.ErrTooMany)
	r := decode(t, "[]")
	require.Zero(t, r.Total)
}

func TestHubSpotActors(t *testing.T) {
	for _, tc := range []struct {
		source, id string
		want       event.Actor
	}{
		{"CRM_UI", "userId:5", event.Actor{Kind: event.ActorUser, ID: "5"}},
		{"BREEZE_AGENT", "agent-1", event.Actor{Kind: event.ActorAgent, ID: "agent-1"}},
		{"DATA_ENRICHMENT", "", event.Actor{Kind: event.ActorAutomation}},
		{"API", "3849713", event.Actor{Kind: event.ActorIntegration, ID: "3849713"}},
		{"WORKFLOWS", "7", event.Actor{Kind: event.ActorAutomation, ID: "7"}},
		{"IMPORT", "userId:5", event.Actor{Kind: event.ActorImport, ID: "5"}},
		{"MERGE_OBJECTS", "userId:5", event.Actor{Kind: event.ActorUser, ID: "5"}},
		{"MERGE_OBJECTS", "9", event.Actor{Kind: event.ActorUnknown, ID: "9"}},
		{"ACADEMY", "userId:5", event.Actor{Kind: event.ActorUnknown, ID: "5"}},
		{"", "", event.Actor{Kind: event.ActorUnknown}},
	} {
		require.Equal(t, tc.want, hubspotActor([]byte(tc.source), []byte(tc.id)), tc.source)
	}
	require.Greater(t, len(hubspotSources), 75)
}

func FuzzHubSpot(f *testing.F) {
	for _, name := range []string{"classic", "platform"} {
		b, err := os.ReadFile("testdata/" + name + ".json")
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte(ev("")))
	f.Add([]byte("[" + ev(`,"a":"\ud83d\ude00"`) + ",{}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		keep := string(body)
		r, err := HubSpot(body, meta)
		if string(body) != keep {
			t.Fatal("the body was written to")
		}
		if err != nil {
			return
		}
		for _, c := range r.Changes {
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		again, err := HubSpot(body, meta)
		require.NoError(t, err)
		require.Equal(t, r, again, "the same bytes give the same events")
	})
}

func BenchmarkHubSpot(b *testing.B) {
	var events []string
	for i := range 100 {
		events = append(events, strings.Replace(ev(""), `"objectId":4`, fmt.Sprintf(`"objectId":%d`, 1000+i), 1))
	}
	for name, body := range map[string]string{"1": "[" + events[0] + "]", "100": "[" + strings.Join(events, ",") + "]"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := HubSpot([]byte(body), meta); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
