package classify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShadowingIsRefusedNamingBoth(t *testing.T) {
	const tail = ", class: schema, recoverability: permanent, attribution: pipeline"
	rule := func(id, when, confidence string) string {
		return "  - { id: " + id + ", when: { " + when + " }" + tail + ", confidence: " + confidence + " }\n"
	}
	for name, test := range map[string]struct {
		rules, want string // want: the two ids in the order winner, loser; empty if both may stand
	}{
		"the same code":                 {rule("a", "code: [X_1]", "0.9") + rule("b", "code: [x1]", "0.99"), "rule a shadows rule b"},
		"narrower behind wider":         {rule("a", "code: [X_1]", "0.9") + rule("b", "code: [X_1], status: [400]", "0.9"), "rule a shadows rule b"},
		"wider behind narrower":         {rule("a", "code: [X_1], status: [400]", "0.9") + rule("b", "code: [X_1]", "0.9"), ""},
		"other operations":              {rule("a", "code: [X_1], operation: [read]", "0.9") + rule("b", "code: [X_1], operation: [create]", "0.9"), ""},
		"a place in the body":           {rule("a", `body: ["*.kind=x"]`, "0.9") + rule("b", `body: ["*.kind=X"], status: [5xx]`, "0.9"), "rule a shadows rule b"},
		"words, the surer one wins":     {rule("a", "says: [token expired]", "0.3") + rule("b", "says: [expired token]", "0.4"), "rule b shadows rule a"},
		"words, surer where it is rare": {rule("a", "says: [token expired]", "0.3") + rule("b", "says: [token expired], status: [418]", "0.4"), ""},
		"a status":                      {rule("a", "status: [460-469]", "0.5") + rule("b", "status: [465]", "0.5"), "rule a shadows rule b"},
		"a code twice":                  {rule("a", "code: [X_1, x-1]", "0.9"), "stands twice in rule a"},
	} {
		t.Run(name, func(t *testing.T) {
			shipped := Rules{Files: []File{{Name: "words", Concepts: map[string][]string{"token": {"token"}, "expired": {"expired"}}}}}
			f, err := parse("mine.yaml", []byte("source: x\nrules:\n"+test.rules))
			require.NoError(t, err)
			shipped.Files = append(shipped.Files, f)
			_, err = New(shipped)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrRules)
			require.ErrorContains(t, err, test.want)
		})
	}
}
