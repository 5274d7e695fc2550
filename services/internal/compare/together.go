package compare

import (
	"context"
	"fmt"

	"plumbline.dev/services/internal/warehouse"
)

// Both sides on one other server are compared there: it is asked with SELECT
// alone, may refuse everything that writes, and only rows that may differ
// leave it.

func (c *Comparison) collectTogether(ctx context.Context, db *warehouse.DB, sum *Summary) (any bool, err error) {
	c.progress("compare where both sides are")
	for _, s := range []side{sideA, sideB} {
		if err := sum.side(s).read(ctx, db, "SELECT * FROM "+c.Together(c.countRowsOf(s), countColumns)); err != nil {
			return false, err
		}
	}
	return true, c.exec(ctx, db, "compare where both sides are", c.createRows(), c.storeTogether())
}

func (c *Comparison) countRowsOf(s side) string {
	set := s.set(c)
	return fmt.Sprintf("SELECT count() AS rows, countIf((%s) = '') AS blank FROM %s%s", set.Key, set.From, set.where())
}

// storeTogether is steps 1 and 2 at once.
func (c *Comparison) storeTogether() string {
	suspects := fmt.Sprintf("SELECT k FROM (%s UNION ALL %s) WHERE k != 0 GROUP BY k HAVING sum(w) != %d", c.hashSQL(sideA), c.hashSQL(sideB), oneEach)
	query := fmt.Sprintf("SELECT * FROM (%s UNION ALL %s) WHERE k IN (%s)", c.rowSQL(sideA), c.rowSQL(sideB), suspects)
	return "INSERT INTO " + c.table("rows") + " SELECT * FROM " + c.Together(query, rowColumns)
}
