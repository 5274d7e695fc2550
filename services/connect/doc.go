// Package connect takes a new user from two read-only credentials to a
// configuration and a first drift number: it looks at what both systems hold,
// proposes keys and a field map with the evidence for each, writes the files,
// and compares what was modified last.
package connect
