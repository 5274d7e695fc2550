package retry

import "plumbline.dev/schemas/event"

// Tries is what is known of a record whose last write failed.
type Tries struct {
	At        event.Time `msg:"a"` // of the last failure
	Since     event.Time `msg:"s"` // of the first of the row
	Errors    int        `msg:"n"` // in a row
	Permanent int        `msg:"p,omitempty"`
	NotBefore event.Time `msg:"nb,omitempty"` // by Retry-After
	Unknown   bool       `msg:"u,omitempty"`  // a create that may have been carried out
	Until     event.Time `msg:"t"`            // forgotten then
}

// Due implements stream.KeyState.
func (t *Tries) Due() event.Time { return t.Until }

// Empty implements stream.KeyState.
func (t *Tries) Empty() bool { return t.Errors == 0 }

// Story is one kind of harm in one integration, by one credential.
type Story struct {
	Tenant      string     `msg:"tn,omitempty"`
	Integration string     `msg:"in"`
	Object      string     `msg:"o"`
	System      string     `msg:"sy,omitempty"`
	Token       string     `msg:"tk,omitempty"`
	What        string     `msg:"w"`
	N           int64      `msg:"n"`
	First       event.Time `msg:"f"`
	Last        event.Time `msg:"l"`
	Example     string     `msg:"e,omitempty"`
	Told        int64      `msg:"td,omitempty"` // N when it was told
	Began       event.Time `msg:"b,omitempty"`  // since when it is told
}
