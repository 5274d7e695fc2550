// Package tabular reads rows of named columns as text from where people keep
// them: CSV and JSON files, plain or packed, in their usual encodings, and
// tables and queries of Postgres and MySQL.
//
// Nothing is guessed in silence and nothing is dropped: what cannot be read
// ends the reading with the line and what to do about it.
package tabular
