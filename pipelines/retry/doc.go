// Package retry watches how failed writes are tried again, record by record:
// creates repeated after an outcome that nobody knows, without an idempotency key
// (duplicates in the making), tries before the time that Retry-After named,
// permanent errors repeated, and storms. What does harm is told as a signal, which
// is the alert retry.unsafe; all figures are in the view retry_health.
//
// It rides in track: a record's tries come to one partition in their order.
package retry

//go:generate go tool msgp -tests=false -io=false -o state_gen.go -file state.go
