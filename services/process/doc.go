// Package process runs operators on Kafka: it reads an input topic as a
// member of a group, folds each partition with its own stream.Task, and
// writes outputs, state and input offsets in one transaction.
//
// It survives kill -9 at any instruction, of itself and of the broker: a
// transaction whose fate is not known ends the session, and the next one
// rebuilds the tasks from the changelog (stream.Restore says how).
package process
