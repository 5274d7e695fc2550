// Package drift says what made records differ. It folds the counts of
// confirmed divergences and of changes, by field and by who made them, beside
// one timeline of everything that may explain them: schema, picklist and mapping
// changes, deploys, tokens, imports, runs of agents, quotas, verdicts on vendors.
//
// A candidate must reach the field and come first in time. Then the risk of a
// change inside its reach is held against the risk outside: before it, and in
// what it does not touch meanwhile; the weaker of the two contrasts counts. The
// interval of the ratio is Katz's on the logarithm, half a case added to each
// cell, so that small counts give wide ones. Candidates that name most (an actor,
// a field, an object) are asked first, those that explain everything last; what
// none of them accounts for is unexplained, and said to be.
package drift

//go:generate go tool msgp -tests=false -io=false -o state_gen.go -file state.go
