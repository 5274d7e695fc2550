// Command report measures everything that has a number to reach, each beside
// its peers in the same run and several times over, and writes one report in
// Markdown and JSON with the raw output of every program beside it. A program
// under measurement prints Markdown tables or Go's benchmark lines; what it
// measures and how is told where it stands.
package main
