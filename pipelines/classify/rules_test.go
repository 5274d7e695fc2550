package classify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"plumbline.dev/schemas/event"
)

// input builds the Input of a rule's example.
func (e *Example) input(f *File) Input {
	in := Input{
		System: e.System, Operation: e.Operation, Status: e.Status, Code: e.Code, Message: e.Message, Body: e.Body,
		Outcome: event.OutcomeError,
	}
	if in.System == "" && len(f.Providers) > 0 {
		in.System = f.Providers[0]
	}
	for name, v := range e.Headers {
		in.Headers = append(in.Headers, event.Field{Name: name, Value: event.Value{Text: v}})
	}
	return in
}

// Every rule carries examples, and each example is decided by its rule with
// all other rules present.
func TestEveryExample(t *testing.T) {
	rules, err := Embedded()
	require.NoError(t, err)
	c, err := New(rules)
	require.NoError(t, err)
	for i := range rules.Files {
		f := &rules.Files[i]
		for j := range f.Rules {
			r := &f.Rules[j]
			t.Run(r.ID, func(t *testing.T) {
				require.NotEmpty(t, r.Examples, "a rule without an example is untested")
				for k := range r.Examples {
					in := r.Examples[k].input(f)
					v := c.Classify(&in)
					require.Equal(t, r.ID, v.Rule, "example %d: %+v: %s %s (%s)", k, in, v.Class, v.Evidence, v.Rule)
					require.Equal(t, r.Class, v.Class)
					require.Equal(t, r.Recoverability, v.Recoverability)
					require.Equal(t, r.Collateral, v.Collateral)
					require.NotEmpty(t, v.Evidence)
					require.NotEmpty(t, v.FirstStep)
					require.NotEmpty(t, v.Fingerprint)
				}
			})
		}
	}
}
