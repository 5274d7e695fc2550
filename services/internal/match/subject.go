package match

import (
	"slices"
	"strconv"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/privacy"
)

// SubjectHashes are what a person's e-mail address or phone number may be
// stored as: hashed by the field policy, and as a key of any object.
func SubjectHashes(key *privacy.Key, integrations []config.Integration, subject string) []string {
	keys := 0
	for i := range integrations {
		for j := range integrations[i].Objects {
			keys = max(keys, len(integrations[i].Objects[j].Key))
		}
	}
	var out []string
	for _, kind := range []string{value.Email, value.Phone, ""} {
		n := value.Normalize(kind, event.Value{Text: subject})
		if n == "" {
			continue
		}
		out = append(out, key.Hash(n))
		for i := range keys {
			out = append(out, key.Hash(strconv.Itoa(i)+"\x1f"+n))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
