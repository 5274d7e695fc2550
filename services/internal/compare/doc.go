// Package compare finds every difference between two whole record sets that
// ClickHouse can read: tables, files, remote queries.
//
// It goes in three steps, all inside ClickHouse:
//
//  1. One pass over each side stores two 64-bit hashes a row, of the key and of
//     all that is compared. They are summed up by bucket of the key's; only where
//     the sums of both sides are not the same are rows grouped by the key, range
//     by range as memory allows: keys that do not hold exactly one row on each
//     side with the same hash are suspects, and so are keys of equal buckets that
//     several rows hold.
//  2. The rows of suspects, and no others, are read again and stored, with a hash
//     and a text for each cell.
//  3. Ranges of them, each small enough for memory, are grouped by the key
//     itself; what differs comes out, cell by cell.
//
// Where both sides are tables of one other server, steps 1 and 2 are one SELECT
// there, and only the rows of suspects leave it.
//
// Equal hashes are taken as equal rows (62 bits: one false "equal" in 10^11
// comparisons of ten million rows); unequal ones never as a difference: step 3
// looks at the key and at each cell, and Field.Judge has the last word. So a
// value that is only written in another way costs time, never a false report.
//
// A key that several rows of a side hold is a duplicate: reported, and never
// paired at random.
package compare
