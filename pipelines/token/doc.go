// Package token watches credentials: a token that is used from elsewhere, for
// other things, or after it was replaced, is the first that is seen of a theft.
//
// It says what it can see. A vendor's log (event.Access) shows every use; our
// own attempts show only what the sync does, so with those alone theft is
// unknown and never ok. The vendor's usage counter (signals of kind api_usage)
// shows calls that nobody we know of made, for everyone, without naming them.
//
// The operator folds partials and tells findings as signals of kind
// token_anomaly. What a theft looked like: the Drift tokens of August 2025 were
// used from new networks with a scripting client, swept objects never read
// before, exported them in bulk and deleted the query jobs.
package token

//go:generate go tool msgp -tests=false -io=false -o state_gen.go -file .
