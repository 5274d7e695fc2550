// Package classify says what a failed attempt means: its class, whether it
// passes by itself, whose fault it probably is, how sure that is and why, and
// what to do first (design §5).
//
// Rules are data (rules/*.yaml). What an answer says is read in this order,
// because vendors agree on nothing but this: its code, the structure of its
// body, the words of its message, its headers, its HTTP status. A rule that is
// sure (confidence of at least Decisive) ends the search; otherwise the most
// confident of all rules that match decides, the earlier source on a tie.
//
// A Classifier is immutable after New and safe for concurrent use. It reads no
// clock, keeps no history and gives the same verdict for the same input.
package classify
