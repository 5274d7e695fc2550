// Package resolve turns intake into facts: it drops redeliveries, fans a
// source event out to each integration that maps it, and re-keys everything
// by canonical record, so that one partition of facts holds one total order.
//
// Source-side ids need no lookup: they are the canonical key. Target-side ids
// need a link; a link learned from an attempt travels back to intake under
// the target-side id, where echoes of that record wait for it.
package resolve

//go:generate go tool msgp -tests=false -io=false -file links.go -o links_gen.go
//go:generate go tool msgp -tests=false -io=false -file rhythm.go -o rhythm_gen.go
//go:generate go tool msgp -tests=false -io=false -file canary.go -o canary_gen.go
