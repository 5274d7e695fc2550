// Package crm is how Plumbline reads the systems that records live in, and
// only reads: what a reader can do, whose budget a call costs, where a call
// may go, and what a refusal means. The vendors are in the folders below.
package crm
