// Package standalone wires the roles. With all of them it is the default
// product, on the embedded broker and engine, in one process; with one of
// them it is that role alone, on whatever the same configuration names.
package standalone
