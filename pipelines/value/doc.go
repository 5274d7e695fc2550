// Package value knows when two systems hold the same value though they write
// it differently: "+1 (415) 555-0100" and "14155550100", "A;B" and "B;A", null
// and "". It is the only home of these rules: attempts are matched, records
// compared and values hashed with the same normal forms.
//
// A normal form is text, is stable under Normalize, and is blank only when the
// system holds nothing.
package value
