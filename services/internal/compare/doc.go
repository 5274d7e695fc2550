// Package compare finds every difference between two whole record sets that
// ClickHouse can read: tables, files, remote queries.
//
// It goes in three steps, all inside ClickHouse:
//
//  1. One pass over both sides makes two 64-bit hashes a row, of the key and of
//     all that is compared, and groups them by the key's: keys that do not hold
//     exactly one row on each side with the same hash are suspects. No row is
//     stored, no text is moved; a group costs some 50 bytes and spills to disk
//     beyond the memory given.
//  2. The rows of suspects, and no others, are read again and stored, with a hash
//     and a text for each cell.
//  3. Ranges of them, each small enough for memory, are grouped by the key
//     itself; what differs comes out, cell by cell.
//
// Equal hashes are taken as equal rows (64 bits: one false "equal" in 10^12
// comparisons of ten million rows); unequal ones never as a difference: step 3
// looks at the key and at each cell, and Field.Judge has the last word. So a
// value that is only written in another way costs time, never a false report.
//
// A key that several rows of a side hold is a duplicate: reported, and never
// paired at random.
package compare
