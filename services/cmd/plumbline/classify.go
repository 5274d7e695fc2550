package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"plumbline.dev/pipelines/classify"
	"plumbline.dev/schemas/event"
)

// maxLine bounds one attempt on stdin.
const maxLine = 8 << 20

func classifyCommand() *cobra.Command {
	var rules string
	cmd := &cobra.Command{
		Use: "classify", Short: "Classify failed attempts: JSON lines on stdin, a verdict a line on stdout", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := classifier(rules)
			if err != nil {
				return errors.Join(errUsage, err)
			}
			return classifyLines(c, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&rules, "rules", "", "a rule file to put in front of the built-in ones")
	return cmd
}

func classifier(file string) (*classify.Classifier, error) {
	if file == "" {
		return classify.Default(), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	rules, err := classify.Embedded()
	if err != nil {
		return nil, err
	}
	if rules, err = rules.With(filepath.Base(file), b); err != nil {
		return nil, err
	}
	return classify.New(rules)
}

// reported is what the command reads of an attempt; all else is ignored.
type reported struct {
	ID, System, Object, Operation, Code, Message, Outcome string

	Status  int
	Body    json.RawMessage // text, or the answer's JSON itself
	Headers map[string]string
}

type verdictLine struct {
	ID             string  `json:"id,omitempty"`
	Class          string  `json:"class"`
	Recoverability string  `json:"recoverability"`
	Attribution    string  `json:"attribution"`
	Confidence     float64 `json:"confidence"`
	Rule           string  `json:"rule"`
	Evidence       string  `json:"evidence"`
	LikelyCause    string  `json:"likely_cause"`
	FirstStep      string  `json:"first_step"`
}

type badLine struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// classifyLines answers every line; bad ones make the command fail at the end.
func classifyLines(c *classify.Classifier, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	w := bufio.NewWriter(out)
	defer w.Flush()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	bad, n := 0, 0
	for lines.Scan() {
		n++
		if len(lines.Bytes()) == 0 {
			continue
		}
		a, err := readAttempt(lines.Bytes())
		if err != nil {
			bad++
			if err := enc.Encode(badLine{n, err.Error()}); err != nil {
				return err
			}
			continue
		}
		input := classify.FromAttempt(a)
		v := c.Classify(&input)
		err = enc.Encode(verdictLine{
			a.ID, v.Class, v.Recoverability, v.Attribution, v.Confidence, v.Rule, v.Evidence, v.LikelyCause, v.FirstStep,
		})
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read line %d: %w", n+1, err)
	}
	if bad > 0 {
		return errQuiet{fmt.Errorf("%d of %d lines could not be read", bad, n)}
	}
	return nil
}

func readAttempt(line []byte) (*event.Attempt, error) {
	var r reported
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("not an attempt in JSON: %w", err)
	}
	a := &event.Attempt{
		ID: r.ID, System: r.System, Object: r.Object, Operation: r.Operation, Status: r.Status, Code: r.Code,
		Message: r.Message, Body: bodyText(r.Body), Outcome: event.OutcomeError,
	}
	for k, v := range r.Headers {
		a.Headers = append(a.Headers, event.Field{Name: k, Value: event.Value{Text: v}})
	}
	return a, nil
}

func bodyText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
