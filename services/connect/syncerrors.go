package connect

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/privacy"
)

// The columns of HubSpot's export of Salesforce sync errors are documented
// nowhere and have changed; they are found by what their headings say.
var headings = []struct {
	to  string
	any []string // all words of one of them
}{
	{"target", []string{"salesforce id", "salesforce record", "salesforce object id"}},
	{"source", []string{"record id", "hubspot id", "object id", "contact id", "company id", "deal id"}},
	{"object", []string{"object type", "record type", "object"}},
	{"category", []string{"error type", "category", "error name", "type"}},
	{"message", []string{"error message", "message", "description", "details", "error"}},
	{"at", []string{"last occurred", "occurred", "timestamp", "date", "time"}},
}

const maxErrors = 1_000_000

// SyncErrors reads the export as failed attempts of an integration. Lines that
// name no record or say nothing are counted, not guessed.
func SyncErrors(r io.Reader, in *config.Integration, now event.Time) (attempts []*event.Attempt, skipped int, err error) {
	c := csv.NewReader(withoutMark(r))
	c.FieldsPerRecord = -1
	first, err := c.Read()
	if err != nil {
		return nil, 0, fmt.Errorf("read the headings: %w", err)
	}
	columns, err := columnsOf(first)
	if err != nil {
		return nil, 0, err
	}
	for {
		line, err := c.Read()
		switch {
		case errors.Is(err, io.EOF):
			return attempts, skipped, nil
		case err != nil:
			return nil, 0, fmt.Errorf("line %d: %w", len(attempts)+skipped+2, err)
		case len(attempts) >= maxErrors:
			return nil, 0, fmt.Errorf("more than %d errors: split the file", maxErrors)
		}
		if a := attemptOf(line, columns, in, now); a != nil {
			attempts = append(attempts, a)
		} else {
			skipped++
		}
	}
}

// withoutMark drops the byte-order mark that spreadsheets put first.
func withoutMark(r io.Reader) io.Reader {
	head := make([]byte, 3)
	n, _ := io.ReadFull(r, head)
	return io.MultiReader(bytes.NewReader(bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf"))), r)
}

func columnsOf(first []string) (map[string]int, error) {
	out := map[string]int{}
	taken := map[int]bool{}
	for _, h := range headings {
	words:
		for _, wanted := range h.any {
			for i, name := range first {
				if !taken[i] && strings.Contains(strings.ToLower(name), wanted) {
					out[h.to], taken[i] = i, true
					break words
				}
			}
		}
	}
	for _, need := range []string{"source", "message"} {
		if _, ok := out[need]; !ok {
			return nil, fmt.Errorf("no column seems to hold the %s; the headings are %s", map[string]string{
				"source": "record id", "message": "error message",
			}[need], strings.Join(first, ", "))
		}
	}
	return out, nil
}

// vendorCode is Salesforce's own word inside HubSpot's sentence.
var vendorCode = regexp.MustCompile(`\b[A-Z][A-Z]+(_[A-Z]+)+\b`)

func attemptOf(line []string, columns map[string]int, in *config.Integration, now event.Time) *event.Attempt {
	get := func(name string) string {
		if i, ok := columns[name]; ok && i < len(line) {
			return strings.TrimSpace(line[i])
		}
		return ""
	}
	message := get("message")
	if c := get("category"); c != "" && !strings.Contains(message, c) {
		message = strings.TrimSuffix(c+": "+message, ": ")
	}
	if get("source") == "" || message == "" {
		return nil
	}
	at := now
	if v := value.Normalize(value.DateTime, event.Value{Text: get("at")}); v != "" {
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil && t.UnixMilli() > 0 {
			at = event.At(t)
		}
	}
	object := nativeName(get("object"), in)
	a := &event.Attempt{
		Tenant: in.Tenant, Integration: in.ID, Sender: "hubspot-sync-errors", OccurredAt: at, ReceivedAt: now, System: in.Target.System,
		Object: object, Operation: event.OpUpsert, SourceID: get("source"), TargetID: get("target"), Outcome: event.OutcomeError,
		Code: vendorCode.FindString(message), Message: privacy.MaskEmails(message),
	}
	a.ID = event.Hash("hubspot-sync-error", in.ID, object, a.SourceID, message, get("at"))
	return a
}

// nativeName finds the integration's object by what the export calls it.
func nativeName(name string, in *config.Integration) string {
	name = strings.ToLower(strings.TrimSpace(name))
	for i := range in.Objects {
		o := &in.Objects[i]
		for _, known := range append([]string{o.Name, o.Source}, o.Target...) {
			if k := strings.ToLower(known); k != "" && (name == k || name == k+"s" || strings.TrimSuffix(name, "ies")+"y" == k) {
				return o.Name
			}
		}
	}
	if name == "" && len(in.Objects) > 0 {
		return in.Objects[0].Name
	}
	return name
}
