package classify

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"plumbline.dev/schemas/event"
)

func FuzzClassify(f *testing.F) {
	f.Add("hubspot", 400, "CONFLICT", "exists", `{"errors":[{"code":"X","context":{}}]}`)
	f.Add("salesforce", 200, "", "", `[{"success":false,"errors":[{"statusCode":"A"}]}]`)
	f.Add("", 0, ":", "don't <b", "<html><script>")
	f.Add("zoho", 500, "%4", `\u`, `{"a":"\`)
	f.Add("acme", 401, "a_B1", "status 4", strings.Repeat(`{"error":[`, 60))
	c := Default()
	f.Fuzz(func(t *testing.T, system string, status int, code, message, body string) {
		in := Input{System: system, Status: status, Code: code, Message: message, Body: body, Outcome: event.OutcomeError}
		v := c.Classify(&in)
		require.Contains(t, event.Classes, v.Class)
		require.True(t, v.Confidence > 0 && v.Confidence <= 1, "%v", v.Confidence)
		require.Equal(t, v, c.Classify(&in), "the same input, another verdict")
		for _, r := range c.ClassifyBatch(&in) {
			require.Contains(t, event.Classes, r.Verdict.Class)
		}
	})
}

// A megabyte of anything costs a bounded number of steps: bodies come from
// strangers. Reading is linear in what is read at all, matching is bounded by
// the hits that are kept.
func TestHugeBodies(t *testing.T) {
	const (
		size     = 1 << 20
		matching = 3_000_000 // hits by hits by expressions, at the very worst
	)
	c := Default()
	for name, body := range map[string]string{
		"nested":    strings.Repeat(`{"error":`, size/9),
		"arrays":    strings.Repeat("[", size),
		"strings":   `{"errors":["` + strings.Repeat(`the field is invalid","`, size/23) + `"]}`,
		"one text":  `{"message":"` + strings.Repeat("token expired ", size/14) + `"}`,
		"html":      "<html>" + strings.Repeat("<p>", size/3),
		"tags":      "<html>" + strings.Repeat("<", size),
		"quotes":    `{"a":` + strings.Repeat(`\"`, size/2),
		"keys":      "{" + strings.Repeat(`"errorreason":1,`, size/16) + "}",
		"text":      strings.Repeat("rate limit exceeded & ", size/22),
		"subjects":  strings.Repeat("field record not found does not exist ", size/38),
		"one word":  strings.Repeat("a", size),
		"entities":  strings.Repeat("&", size),
		"scripts":   "<html>" + strings.Repeat("<script>", size/8),
		"dots":      strings.Repeat("a.b:c'", size/6),
		"snapshots": `{"results":[` + strings.Repeat(`{"id":"1","properties":{"email":"a@b.c"}},`, size/42) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := weigher{c: c, p: c.provider("hubspot"), in: &Input{System: "hubspot", Status: 400, Body: body, Message: body}, status: 400}
			w.weigh()
			require.Less(t, w.s.steps, 2*len(body)+matching)
			require.LessOrEqual(t, w.s.lexed, maxLexLen)
		})
	}
}
