// Package kit reads Plumbline's alert topics as any consumer would: with a
// plain Kafka client, by partition and from offset 0, without a group.
//
// alert-states holds the newest change of each alert: Read it from its start
// into a World and the world is what is wrong now, as of the newest record.
// alerts holds every change; Gaps tells which ones a consumer missed, by their
// numbers. Records may repeat (delivery is at least once): World and Gaps take
// a repeat for what it is. docs/alerts.md is the contract.
package kit
