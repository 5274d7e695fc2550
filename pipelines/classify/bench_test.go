package classify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"plumbline.dev/schemas/event"
)

var sink event.Verdict

// The common path: the sender names the code.
func codeHit() Input {
	return Input{
		System: "salesforce", Status: 400, Code: "INVALID_FIELD", Operation: event.OpUpdate, Outcome: event.OutcomeError,
		Message: "No such column 'Tier__c' on sobject of type Contact",
	}
}

func BenchmarkCode(b *testing.B) {
	c, in := Default(), codeHit()
	b.ReportAllocs()
	for b.Loop() {
		sink = c.Classify(&in)
	}
}

func BenchmarkBody(b *testing.B) {
	c := Default()
	in := Input{System: "hubspot", Status: 400, Body: `{"status":"error","message":"Property values were not valid","correlationId":"a","errors":[{"message":"Property \"foo\" does not exist","code":"PROPERTY_DOESNT_EXIST","context":{"propertyName":["foo"]}}],"category":"VALIDATION_ERROR"}`}
	b.ReportAllocs()
	for b.Loop() {
		sink = c.Classify(&in)
	}
}

func BenchmarkWords(b *testing.B) {
	c := Default()
	in := Input{System: "acme", Status: 422, Body: `{"message":"A prospect having that e-mail was previously created in this workspace"}`}
	b.ReportAllocs()
	for b.Loop() {
		sink = c.Classify(&in)
	}
}

func BenchmarkStatus(b *testing.B) {
	c := Default()
	in := Input{System: "acme", Status: 503}
	b.ReportAllocs()
	for b.Loop() {
		sink = c.Classify(&in)
	}
}

// Over all fixtures: the mean of a realistic mix.
func BenchmarkFixtures(b *testing.B) {
	c := Default()
	cases := readLabelled(b, "testdata/errors.jsonl")
	inputs := make([]Input, len(cases))
	for i := range cases {
		inputs[i] = cases[i].input()
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		sink = c.Classify(&inputs[i%len(inputs)])
		i++
	}
}

func TestCodeHitDoesNotAllocate(t *testing.T) {
	c, in := Default(), codeHit()
	require.Equal(t, "salesforce.schema", c.Classify(&in).Rule)
	require.Zero(t, testing.AllocsPerRun(100, func() { sink = c.Classify(&in) }))
}
