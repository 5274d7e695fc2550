// Package tally turns what track does into small sums for watch: it stands
// behind the ledger in one chain, counts attempts as they come and the
// ledger's outputs as they go, and at each tick emits what a second held.
//
// Counts are of transitions (from the state before to the state now), so they
// add up whatever the cut into seconds, and the table of minutes that watch
// makes of them needs no memory of single deliveries.
package tally

//go:generate go tool msgp -tests=false -io=false -file second.go -o second_gen.go
