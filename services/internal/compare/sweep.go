package compare

import (
	"context"
	"fmt"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// abandoned is how old a comparison's tables are when nobody can still be at
// work on them.
const abandoned = 3 * 24 * time.Hour

// sweep drops tables that killed comparisons left. Only names as a comparison
// gives them are dropped, and no table that is younger than age.
func (c *Comparison) sweep(ctx context.Context, db *warehouse.DB, age time.Duration) error {
	var left []struct {
		Name string `ch:"name"`
	}
	err := db.Query(ctx, &left, "SELECT name FROM system.tables WHERE database = ? AND match(name, '^"+tablePrefix+"[a-z2-7]{12}_(a|b|suspects|unequal|rows)$') "+
		"AND metadata_modification_time <= now() - toIntervalSecond(?)", c.Scratch, int64(age.Seconds()))
	if err != nil {
		return fmt.Errorf("look for tables of killed comparisons: %w", err)
	}
	for _, t := range left {
		if err := db.Exec(ctx, fmt.Sprintf("DROP TABLE IF EXISTS `%s`.`%s`", c.Scratch, t.Name)); err != nil {
			return fmt.Errorf("drop %s, which a killed comparison left: %w", t.Name, err)
		}
	}
	return nil
}
