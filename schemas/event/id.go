package event

import (
	"crypto/sha256"
	"encoding/hex"
)

// sep joins the parts of an id before hashing. Validate keeps control
// characters out of every part, so no two lists of parts join alike.
const sep = "\x1f"

// Hash is the id everybody can recompute: the first 16 bytes of SHA-256 over
// the parts joined with 0x1F, in lower-case hex. In ClickHouse:
//
//	lower(hex(substring(SHA256(arrayStringConcat([...], char(31))), 1, 16)))
func Hash(parts ...string) string {
	var buf [256]byte
	b := buf[:0]
	for i, p := range parts {
		if i > 0 {
			b = append(b, sep...)
		}
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// DeliveryID identifies the passage of one change of one canonical record.
func DeliveryID(integration, object, key, changeID string) string {
	return Hash("delivery", integration, object, key, changeID)
}

// DivergenceID identifies a divergence; field is empty for a whole record.
func DivergenceID(integration, object, key, field, kind string) string {
	return Hash("divergence", integration, object, key, field, kind)
}

// IncidentID identifies an incident by its first minute.
func IncidentID(integration, fingerprint string, firstMinute Time) string {
	return Hash("incident", integration, fingerprint, firstMinute.String())
}

// AlertID identifies an alert by its rule and subject.
func AlertID(rule, subject string) string { return Hash("alert", rule, subject) }
