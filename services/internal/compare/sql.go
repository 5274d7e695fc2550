package compare

import (
	"fmt"
	"math"
	"strings"
)

// A row weighs its hash + 1 in A and 2 - its hash in B, in arithmetic that
// wraps. A key with one row on each side and equal hashes sums up to 3; so do no
// other rows, but by a chance of 1 in 2^62. Equal sets of n rows sum up to 3n.
const (
	weightA = "%s + 1"
	weightB = "toUInt64(2 - %s)"
	oneEach = 3
)

// bits says how many of a key hash's bits are its bucket.
type bits int

const (
	coarse bits = 16 // their sums stay in a processor's cache
	finest bits = 20
)

// finer leaves some ten keys in a bucket where that can be.
func finer(rows uint64) bits {
	b := coarse
	for b < finest && rows>>(b+1) >= 16 {
		b++
	}
	return b
}

func (b bits) number() uint64 { return 1 << b }

// bucket is that of k, whose bit 0 is always set.
func (b bits) bucket() string {
	return fmt.Sprintf("bitAnd(toUInt32(bitShiftRight(k, 1)), %d)", b.number()-1)
}

const (
	hashColumns  = "k UInt64, w UInt64"
	rowColumns   = "k UInt64, side UInt8, key String, cells Array(UInt64), texts Array(Nullable(String)), carry Array(String)"
	countColumns = "rows UInt64, blank UInt64"
)

// Hashes are random: packing them costs and saves nothing.
const (
	inMemory = "ENGINE = Memory"
	onDisk   = "ENGINE = MergeTree ORDER BY tuple() SETTINGS min_bytes_for_wide_part = '1T', min_rows_for_wide_part = 1000000000000"
)

func (c *Comparison) createHashes(engine string) []string {
	columns := " (k UInt64 CODEC(NONE), w UInt64 CODEC(NONE)) " + engine
	if engine == inMemory {
		columns = " (" + hashColumns + ") " + engine
	}
	return []string{
		"CREATE TABLE " + c.hashes(sideA) + columns,
		"CREATE TABLE " + c.hashes(sideB) + columns,
		"CREATE TABLE " + c.table("suspects") + " (k UInt64) ENGINE = MergeTree ORDER BY k",
		"CREATE TABLE " + c.table("unequal") + " (bucket UInt32, n UInt64) " + inMemory,
	}
}

func (c *Comparison) createRows() string {
	return "CREATE TABLE " + c.table("rows") + " (" + rowColumns + ") ENGINE = MergeTree ORDER BY k"
}

func (c *Comparison) dropTables() []string {
	var drop []string
	for _, t := range []string{c.hashes(sideA), c.hashes(sideB), c.table("suspects"), c.table("unequal"), c.table("rows")} {
		drop = append(drop, "DROP TABLE IF EXISTS "+t)
	}
	return drop
}

// tablePrefix marks tables that a comparison made and, killed, may have left (sweep).
const tablePrefix = "compare_"

func (c *Comparison) table(name string) string {
	return fmt.Sprintf("`%s`.`%s%s_%s`", c.Scratch, tablePrefix, c.id, name)
}

func (c *Comparison) hashes(s side) string { return c.table([]string{"a", "b"}[s]) }

// at has a query answered where the set is.
func (s *Set) at(query, structure string) string {
	if s.At == nil {
		return query
	}
	return "SELECT * FROM " + s.At(query, structure)
}

// hashSQL is a side's rows as what they are grouped by and what they weigh.
func (c *Comparison) hashSQL(s side) string {
	weight := []string{weightA, weightB}[s]
	set := s.set(c)
	return fmt.Sprintf("SELECT %s AS k, "+weight+" AS w FROM %s%s", set.keyHash(), s.rowHash(c), set.From, set.where())
}

func (c *Comparison) storeHashes(s side) string {
	return "INSERT INTO " + c.hashes(s) + " " + s.set(c).at(c.hashSQL(s), hashColumns)
}

func (c *Comparison) countHashes(s side) string {
	return "SELECT count() AS rows, countIf(k = 0) AS blank FROM " + c.hashes(s)
}

// countAll is answered by a file's or a table's own account of itself.
func (c *Comparison) countAll(s side) string {
	return "SELECT toUInt64(count()) AS n FROM " + s.set(c).From
}

// span is a range of key hashes; blank keys (0) are in none.
type span struct{ from, to uint64 }

var everything = span{0, math.MaxUint64}

func (p span) where() string {
	if p == everything {
		return "k != 0"
	}
	return fmt.Sprintf("k BETWEEN %d AND %d", max(p.from, 1), p.to)
}

// findUnequal stores the buckets whose rows are not the same on both sides.
// Summing them up costs next to nothing beside grouping by the key.
func (c *Comparison) findUnequal(cut bits) []string {
	unequal := c.table("unequal")
	return []string{
		"TRUNCATE TABLE " + unequal,
		fmt.Sprintf("INSERT INTO %s SELECT %s AS bucket, count() AS n FROM %s GROUP BY bucket HAVING sum(w) * 2 != n * %d",
			unequal, cut.bucket(), c.both(everything), oneEach),
	}
}

func (c *Comparison) countUnequal() string { return "SELECT sum(n) AS n FROM " + c.table("unequal") }

func (c *Comparison) unequalBuckets() string {
	return "(SELECT bucket FROM " + c.table("unequal") + ")"
}

func (c *Comparison) both(p span) string {
	return fmt.Sprintf("(SELECT k, w FROM %s WHERE %s UNION ALL SELECT k, w FROM %s WHERE %s)",
		c.hashes(sideA), p.where(), c.hashes(sideB), p.where())
}

// findSuspects looks for keys in unequal buckets.
func (c *Comparison) findSuspects(p span, cut bits) string {
	return fmt.Sprintf("INSERT INTO %s SELECT k FROM %s WHERE %s IN %s GROUP BY k HAVING sum(w) != %d",
		c.table("suspects"), c.both(p), cut.bucket(), c.unequalBuckets(), oneEach)
}

// equalRows are A's rows of equal buckets. They are B's as well: only a key that
// several rows hold can be wrong with them.
func (c *Comparison) equalRows(p span, cut bits) string {
	return fmt.Sprintf("FROM %s WHERE %s AND %s NOT IN %s", c.hashes(sideA), p.where(), cut.bucket(), c.unequalBuckets())
}

// countTwice counts within shares of the keys small enough for a cache: a third
// of what one set of all of them costs.
func (c *Comparison) countTwice(p span, cut bits) string {
	return fmt.Sprintf("SELECT toUInt64(sum(length(keys) - arrayUniq(keys))) AS n FROM (SELECT groupArray(k) AS keys %s GROUP BY bitAnd(bitShiftRight(k, 1), 1023))",
		c.equalRows(p, cut))
}

func (c *Comparison) findTwice(p span, cut bits) string {
	return fmt.Sprintf("INSERT INTO %s SELECT k %s GROUP BY k HAVING count() > 1", c.table("suspects"), c.equalRows(p, cut))
}

func (c *Comparison) countSuspects() string { return "SELECT count() AS n FROM " + c.table("suspects") }

func (c *Comparison) countRows() string { return "SELECT count() AS n FROM " + c.table("rows") }

// rowSQL is a side's rows as they are stored to be compared cell by cell.
func (c *Comparison) rowSQL(s side) string {
	var cells, texts []string
	for i := range c.Fields {
		cell := s.cell(&c.Fields[i])
		cells = append(cells, cell.hash())
		texts = append(texts, fmt.Sprintf("CAST(%s, 'Nullable(String)')", cell.Text))
	}
	set := s.set(c)
	return fmt.Sprintf("SELECT %s AS k, %d AS side, %s AS key, CAST([%s], 'Array(UInt64)') AS cells, "+
		"CAST([%s], 'Array(Nullable(String))') AS texts, CAST([%s], 'Array(String)') AS carry FROM %s",
		set.keyHash(), int(s), set.Key, strings.Join(cells, ", "), strings.Join(texts, ", "), strings.Join(set.Carry, ", "), set.rows())
}

// storeRows is step 2. Where most keys are suspects, looking each up costs
// memory and saves little: then all rows are stored.
func (c *Comparison) storeRows(s side, all bool) string {
	set := s.set(c)
	rows := c.rowSQL(s)
	among := fmt.Sprintf(" IN (SELECT k FROM %s)", c.table("suspects"))
	switch {
	case set.At != nil && all:
		rows = set.at(rows, rowColumns)
	case set.At != nil:
		rows = set.at(rows, rowColumns) + " WHERE k" + among
	case !all:
		rows += " AND " + set.keyHash() + among
	}
	return "INSERT INTO " + c.table("rows") + " " + rows
}

// readRange is step 3 for a range of key hashes.
func (c *Comparison) readRange(p span) string {
	return fmt.Sprintf(`SELECT key, a, b, differ, arrayMap(i -> textsA[i], differ), arrayMap(i -> textsB[i], differ), carryA, carryB FROM (
SELECT key, countIf(side = 0) AS a, countIf(side = 1) AS b,
	anyIf(texts, side = 0) AS textsA, anyIf(texts, side = 1) AS textsB,
	groupArrayIf(%d)(carry, side = 0) AS carryA, groupArrayIf(%d)(carry, side = 1) AS carryB,
	anyIf(cells, side = 0) AS cellsA, anyIf(cells, side = 1) AS cellsB,
	if(a = 1 AND b = 1, arrayFilter((i, x, y) -> x != y, arrayEnumerate(cellsA), cellsA, cellsB), []) AS differ
FROM %s WHERE %s GROUP BY key
) WHERE a != 1 OR b != 1 OR notEmpty(differ) ORDER BY key`, maxCarried, maxCarried, c.table("rows"), p.where())
}

// maxCarried bounds how many rows of a duplicate key are told apart.
const maxCarried = 5
