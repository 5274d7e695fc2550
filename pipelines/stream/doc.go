// Package stream is the vocabulary of Plumbline's operators: what a partition
// is folded with, what comes out, how state is saved and restored.
//
// An Operator is pure: events in, outputs and state out, time as an argument;
// no clock, no I/O, no goroutine. A Task binds an operator to one input
// partition. Who moves the bytes is somebody else's concern: services/process
// does it with Kafka, pipelines/streamtest with slices.
package stream

//go:generate go tool msgp -tests=false -io=false -file position.go -o position_gen.go
