// Package compact writes structs in few bytes: what is zero is not written, a
// string that was written before is a number, a time is how far it is from the
// one before. State that mostly waits is kept and logged like this.
//
// A field is known by its place. So fields are only ever added at the end of
// their struct, and one that is no longer needed stays, empty. Bytes of a later
// version that has more are refused.
package compact
