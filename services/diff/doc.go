// Package diff compares two files or tables, as `plumbline diff` does: it
// reads what the engine cannot read itself into the engine, matches columns,
// and leaves the comparison to package compare.
package diff
