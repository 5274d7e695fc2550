// Package ledger follows every change to the target. One record of facts'
// partition is folded into the deliveries of its canonical record: what was
// attempted, what the target acknowledged, what it then really held.
//
// Design §2 defines the states and §3 the matching; every output carries the
// offset of the input that caused it as its version.
package ledger

//go:generate go tool msgp -tests=false -io=false -file record.go -o record_gen.go
//go:generate go tool msgp -tests=false -io=false -file habit.go -o habit_gen.go
//go:generate go tool msgp -tests=false -io=false -file memory.go -o memory_gen.go
