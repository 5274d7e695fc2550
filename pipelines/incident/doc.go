// Package incident grows failures and divergences of one fingerprint in one
// integration into incidents: onset, detection, acknowledgement, mitigation,
// and a resolution that is not a matter of opinion: every affected record is
// right again, or waived by a named person.
//
// A fingerprint whose failures are temporary is given a moment before it
// becomes an incident. All outputs follow from ticks: an incident is written
// at most once a second, however many records fail.
package incident

//go:generate go tool msgp -tests=false -io=false -file state.go -o state_gen.go
