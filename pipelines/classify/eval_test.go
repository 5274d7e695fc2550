package classify

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"plumbline.dev/schemas/event"
)

// gate is what a file of errors has to reach: with all rules, and with each
// provider's own file held out. Floors may only rise.
type gate struct{ all, heldOutClass, heldOutRecoverability float64 }

// Our own fixtures: errors in the vendors' shapes, and sentences as unlike the
// usual wordings as we could think of, from a vendor nobody knows.
var gates = map[string]gate{
	"testdata/errors.jsonl":  {0.99, 0.94, 0.95},
	"testdata/phrases.jsonl": {0.94, 0.94, 0.95},
}

// corpora are files of real errors from elsewhere, measured where they are
// present: beside the repository, or named in PLUMBLINE_ERRORS (a list).
func corpora() []string {
	list := filepath.SplitList(os.Getenv("PLUMBLINE_ERRORS"))
	const beside = "../../../shared/corpus/errors.jsonl"
	if _, err := os.Stat(beside); err == nil && len(list) == 0 {
		list = append(list, beside)
	}
	return list
}

// The report of `make eval`: how often class and recoverability are right, and
// what is taken for what.
func TestEval(t *testing.T) {
	for _, path := range slices.Sorted(maps.Keys(gates)) {
		evaluate(t, filepath.Base(path), path, gates[path])
	}
	for _, path := range corpora() {
		evaluate(t, "corpus/"+filepath.Base(path), path, gate{0.99, 0.90, 0.93})
	}
}

func evaluate(t *testing.T, name, path string, g gate) {
	t.Run(name, func(t *testing.T) {
		cases := readLabelled(t, path)
		requireLabels(t, cases)
		all := measure(compiledRules(t, mustRules(t)), cases)
		general := measure(compiledRules(t, mustRules(t).General()), cases)
		out, each := heldOut(t, cases)
		t.Logf("all rules:            %s", &all)
		t.Logf("held out by provider: %s", &out)
		t.Logf("general rules only:   %s", &general)
		for _, p := range slices.Sorted(maps.Keys(each)) {
			t.Logf("  %-18s %s", p, each[p])
		}
		t.Logf("confusion, all rules:\n%s", all.matrix())
		t.Logf("confusion, held out:\n%s", out.matrix())
		if os.Getenv("PLUMBLINE_QUIET") == "" {
			for _, w := range all.wrong {
				t.Log("all:      ", w)
			}
			for _, w := range out.wrong {
				t.Log("held out: ", w)
			}
		}
		class, recoverability := all.rates()
		require.GreaterOrEqual(t, class, g.all, "class, all rules")
		require.GreaterOrEqual(t, recoverability, g.all, "recoverability, all rules")
		class, recoverability = out.rates()
		require.GreaterOrEqual(t, class, g.heldOutClass, "class, held out")
		require.GreaterOrEqual(t, recoverability, g.heldOutRecoverability, "recoverability, held out")
	})
}

// requireLabels refuses a file that proves nothing: of one class, or with one
// error twice.
func requireLabels(t *testing.T, cases []labelled) {
	t.Helper()
	require.GreaterOrEqual(t, len(cases), 140)
	classes, ids := map[string]int{}, map[string]bool{}
	for i := range cases {
		require.Contains(t, event.Classes, cases[i].Class, cases[i].ID)
		require.False(t, ids[cases[i].ID], "id %s twice", cases[i].ID)
		ids[cases[i].ID] = true
		classes[cases[i].Class]++
	}
	for _, class := range event.Classes {
		require.NotZero(t, classes[class], class)
		require.Less(t, 2*classes[class], len(cases), class)
	}
}
