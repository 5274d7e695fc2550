package console

import (
	"context"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/classify"
)

var tryParams = []string{"system", "operation", "status", "code", "message", "body"}

// tryPage is what the classifier says of an error somebody typed in.
type tryPage struct {
	In                                     map[string]string
	Systems                                []string
	Tried                                  bool
	Class, Kind, Whose, Cause, Step        string
	Evidence, Rule, Confidence, Print, Err string
	Tone                                   string
}

// loadTry classifies in this process: nothing is stored, and nobody is asked.
func loadTry(_ context.Context, v *visit) (*content, error) {
	p := &tryPage{In: flat(v.query), Systems: []string{"hubspot", "salesforce", "dataverse", "pipedrive", "zoho"}}
	c := &content{Title: "Try an error", Data: p}
	if len(p.In) == 0 {
		return c, nil
	}
	status := 0
	if text := strings.TrimSpace(p.In["status"]); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 999 {
			p.Err = "The status is a number like 400, or empty where there was no answer."
			return c, nil
		}
		status = n
	}
	in := classify.Input{
		System: p.In["system"], Operation: p.In["operation"], Status: status, Code: p.In["code"], Message: p.In["message"], Body: p.In["body"],
		Outcome: "error",
	}
	verdict := classify.Default().Classify(&in)
	p.Tried, p.Class, p.Evidence, p.Rule, p.Print = true, className(verdict.Class), capital(verdict.Evidence), verdict.Rule, verdict.Fingerprint
	p.Whose, p.Cause, p.Step = capital(whose(verdict.Attribution, verdict.Confidence)), capital(verdict.LikelyCause), capital(verdict.FirstStep)
	p.Confidence, p.Kind, p.Tone = percent(verdict.Confidence), "Passes by itself", "warning"
	if verdict.Recoverability == "permanent" {
		p.Kind, p.Tone = "Needs somebody", "breach"
	}
	return c, nil
}
