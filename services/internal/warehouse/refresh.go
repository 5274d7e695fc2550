package warehouse

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Unrefreshed is a view that the server should have counted anew and has not.
type Unrefreshed struct {
	View  string        `ch:"view"`
	For   time.Duration // since it last succeeded; 0 = it never did
	Age   int64         `ch:"age"`
	Error string        `ch:"exception"`
}

// String says it in words.
func (u Unrefreshed) String() string {
	since := "never"
	if u.For > 0 {
		since = "not for " + u.For.String()
	}
	return fmt.Sprintf("%s was counted %s: %s", u.View, since, u.Error)
}

// staleAfter is when the views themselves say that they are unknown.
const staleAfter = 3 * time.Minute

// Unrefreshed are the views that are behind, with the reason. The old rows
// stay, and say of themselves how old they are. On a cluster it is about the
// server that answers.
func (d *DB) Unrefreshed(ctx context.Context) ([]Unrefreshed, error) {
	var rows []Unrefreshed
	err := d.Query(ctx, &rows, `SELECT view, if(isNull(last_success_time), 0, dateDiff('second', assumeNotNull(last_success_time), now())) AS age, exception
		FROM system.view_refreshes WHERE database = ? AND (isNull(last_success_time) AND exception != '' OR age > ?) ORDER BY view`,
		d.database, int(staleAfter.Seconds()))
	for i := range rows {
		rows[i].For = time.Duration(rows[i].Age) * time.Second
		rows[i].Error, _, _ = strings.Cut(rows[i].Error, ", Stack trace")
	}
	return rows, err
}
