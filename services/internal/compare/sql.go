package compare

import (
	"fmt"
	"math"
	"strings"
)

// Rows of A weigh 1 and count as 1, rows of B weigh -1 and count as 2^32, in
// arithmetic that wraps: a key with one row on each side and the same hash sums
// up to 0 and 2^32+1. Sides that differ by more than 2^32 rows of one key are
// beyond this package.
const (
	countB   = 1 << 32
	oneEach  = countB + 1
	minusOne = math.MaxUint64
)

func (c *Comparison) createTables() []string {
	return []string{
		fmt.Sprintf("CREATE TABLE %s (k UInt64, n UInt64) ENGINE = MergeTree ORDER BY k", c.table("suspects")),
		fmt.Sprintf(`CREATE TABLE %s (k UInt64, side UInt8, key String, cells Array(UInt64), texts Array(Nullable(String)),
carry Array(String)) ENGINE = MergeTree ORDER BY k`, c.table("rows")),
	}
}

func (c *Comparison) dropTables() []string {
	return []string{"DROP TABLE IF EXISTS " + c.table("suspects"), "DROP TABLE IF EXISTS " + c.table("rows")}
}

// tablePrefix marks tables that a comparison made and, killed, may have left.
const tablePrefix = "compare_"

func (c *Comparison) table(name string) string {
	return fmt.Sprintf("`%s`.`%s%s_%s`", c.Scratch, tablePrefix, c.id, name)
}

func countSQL(s *Set) string {
	return fmt.Sprintf("SELECT count() AS rows, countIf((%s) = '') AS blank FROM %s%s", s.Key, s.From, s.where())
}

// findSuspects is step 1.
func (c *Comparison) findSuspects() string {
	hashes := func(s side, weight, count uint64) string {
		return fmt.Sprintf("SELECT %s AS k, %s AS h, toUInt64(%d) AS w, toUInt64(%d) AS one FROM %s",
			s.set(c).keyHash(), s.rowHash(c), weight, count, s.set(c).rows())
	}
	return fmt.Sprintf(`INSERT INTO %s SELECT k, sum(one) AS n FROM (%s UNION ALL %s)
GROUP BY k HAVING n != %d OR sum(h * w) != 0`,
		c.table("suspects"), hashes(sideA, 1, 1), hashes(sideB, minusOne, countB), uint64(oneEach))
}

func (c *Comparison) suspectCounts() string {
	return fmt.Sprintf("SELECT count() AS keys, sum(n %% %d) AS a, sum(intDiv(n, %d)) AS b FROM %s",
		uint64(countB), uint64(countB), c.table("suspects"))
}

// storeRows is step 2. Where most keys are suspects, looking each up costs
// memory and saves little: then all rows are stored.
func (c *Comparison) storeRows(s side, all bool) string {
	var cells, texts []string
	for i := range c.Fields {
		cell := s.cell(&c.Fields[i])
		cells = append(cells, "cityHash64("+strings.Join(cell.Same, ", ")+")")
		texts = append(texts, fmt.Sprintf("CAST(%s, 'Nullable(String)')", cell.Text))
	}
	set := s.set(c)
	sql := fmt.Sprintf("INSERT INTO %s SELECT %s, %d, %s, CAST([%s], 'Array(UInt64)'), CAST([%s], 'Array(Nullable(String))'), CAST([%s], 'Array(String)') FROM %s",
		c.table("rows"), set.keyHash(), int(s), set.Key,
		strings.Join(cells, ", "), strings.Join(texts, ", "), strings.Join(set.Carry, ", "), set.rows())
	if all {
		return sql
	}
	return sql + fmt.Sprintf(" AND %s IN (SELECT k FROM %s)", set.keyHash(), c.table("suspects"))
}

// readRange is step 3 for the keys whose hash lies between two bounds.
func (c *Comparison) readRange(from, to uint64) string {
	return fmt.Sprintf(`SELECT key, a, b, differ, arrayMap(i -> textsA[i], differ), arrayMap(i -> textsB[i], differ), carryA, carryB FROM (
SELECT key, countIf(side = 0) AS a, countIf(side = 1) AS b,
	anyIf(texts, side = 0) AS textsA, anyIf(texts, side = 1) AS textsB,
	groupArrayIf(%d)(carry, side = 0) AS carryA, groupArrayIf(%d)(carry, side = 1) AS carryB,
	anyIf(cells, side = 0) AS cellsA, anyIf(cells, side = 1) AS cellsB,
	if(a = 1 AND b = 1, arrayFilter((i, x, y) -> x != y, arrayEnumerate(cellsA), cellsA, cellsB), []) AS differ
FROM %s WHERE k BETWEEN %d AND %d GROUP BY key
) WHERE a != 1 OR b != 1 OR notEmpty(differ) ORDER BY key`, maxCarried, maxCarried, c.table("rows"), from, to)
}

// maxCarried bounds how many rows of a duplicate key are told apart.
const maxCarried = 5
