// Package ask holds every question the console asks of ClickHouse beyond the
// overview: one .sql file each, with its title, its parameters, its columns and
// where each of them leads. What runs is what is shown, word for word.
package ask
