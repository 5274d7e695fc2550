// Package attribute says whose fault a run of failures is, and whether it will
// pass, from evidence over time (design §5). One answer cannot tell: a vendor's
// outage may look like a dead grant, and who disconnects then, loses customers
// for good.
//
// It folds partials. A line is an integration's calls to one provider with one
// token; a spell is a run of failures of one class on a line. Every few seconds
// each open spell is judged: pieces of evidence add to three scores (the
// vendor's fault, the customer's, the pipeline's), and the verdict is decided
// when one of them is likely enough. Until then it is said to be undecided.
// What the status page says adds a little and never decides.
//
// Breadth is seen within one partition of partials, that is one group of
// tenants. A single tenant is judged by our own credential's probe, the result
// of its refreshes, its other endpoints, the shape of its errors and what was
// changed shortly before.
package attribute

//go:generate go tool msgp -tests=false -io=false -o state_gen.go -file state.go
