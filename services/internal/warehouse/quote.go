package warehouse

import "strings"

// Quote writes a string as ClickHouse reads it, for statements that take no
// parameters.
func Quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
