package event

// What a credential was used for.
const (
	AccessLogin     = "login"
	AccessRefresh   = "refresh" // a new access token from a refresh token
	AccessQuery     = "query"
	AccessRead      = "read"
	AccessExport    = "export" // bulk query, report export, file download
	AccessWrite     = "write"
	AccessDelete    = "delete"
	AccessJobDelete = "job_delete" // the traces of a bulk query taken away
	AccessAdmin     = "admin"      // users, permissions, connected apps
)

// AccessOps lists what an access may be.
var AccessOps = []string{
	AccessLogin, AccessRefresh, AccessQuery, AccessRead, AccessExport, AccessWrite, AccessDelete, AccessJobDelete, AccessAdmin,
}

// Access is one line of a system's own log: which credential did what, from
// where. Only a vendor's log shows what a thief does with a token; our own
// attempts never will.
type Access struct {
	ID         string `msg:"id"`
	Tenant     string `msg:"tenant,omitempty"`
	Sender     string `msg:"sender,omitempty"`
	System     string `msg:"system"`
	Account    string `msg:"account,omitempty"`
	Token      string `msg:"token"` // id of the credential or connected app, never the credential
	At         Time   `msg:"at"`
	ReceivedAt Time   `msg:"received_at"`
	Operation  string `msg:"op"`
	Object     string `msg:"object,omitempty"`
	Rows       int64  `msg:"rows,omitempty"`
	Calls      int64  `msg:"calls,omitempty"`   // that the line stands for; 0 = one
	Network    string `msg:"network,omitempty"` // where from, no finer than a /24 or /48
	Agent      string `msg:"agent,omitempty"`   // user agent or client
	Failed     bool   `msg:"failed,omitempty"`
	Actor      Actor  `msg:"actor"`
	BodyHash   uint64 `msg:"body_hash,omitempty"`
}

// EventType implements Event.
func (*Access) EventType() Type { return TypeAccess }

// Validate implements Event.
func (a *Access) Validate() error {
	return firstError(
		required("id", a.ID), required("system", a.System), required("token", a.Token), known("at", a.At),
		oneOf("operation", a.Operation, AccessOps),
	)
}
