package event

// How a value is stored. The zero kind is clear text.
const (
	KindText   = ""       // text as the system sent it
	KindNumber = "number" // decimal digits as sent: numbers beyond 2^53 survive
	KindBool   = "bool"   // "true" or "false"
	KindNull   = "null"   // the system holds no value; Text is empty
	KindJSON   = "json"   // a list or object, as compact JSON
	KindHash   = "hash"   // hex HMAC-SHA256 of the normalised value
	KindSeal   = "seal"   // base64 ciphertext, sealed per tenant
)

// Value is one field's value. With KindHash the value cannot be restored;
// Mask and Len keep what a person may still see ("j***@example.com", 18).
type Value struct {
	Kind string `msg:"k,omitempty" json:"kind,omitempty"`
	Text string `msg:"t,omitempty" json:"text,omitempty"`
	Mask string `msg:"m,omitempty" json:"mask,omitempty"`
	Len  int    `msg:"n,omitempty" json:"len,omitempty"`
}

// Blank reports whether the system holds nothing: null or empty text.
// CRMs do not tell the two apart.
func (v Value) Blank() bool {
	return v.Kind == KindNull || (v.Text == "" && v.Kind == KindText)
}

// Show is what a person may see.
func (v Value) Show() string {
	switch {
	case v.Mask != "":
		return v.Mask
	case v.Kind == KindSeal:
		return "(sealed)"
	}
	return v.Text
}

// Field is a named value. Fields travel as slices sorted by name: the same
// fields are always the same bytes.
type Field struct {
	Name  string `msg:"f" json:"name"`
	Value Value  `msg:"v" json:"value"`
}

// Find returns the value of the named field.
func Find(fields []Field, name string) (Value, bool) {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Value, true
		}
	}
	return Value{}, false
}
