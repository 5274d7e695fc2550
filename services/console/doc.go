// Package console is the page that a RevOps lead opens first, and its JSON
// API. It only reads: HTML rendered here, from numbers that the ClickHouse
// views define, without a build step and without a request to anywhere else.
package console
