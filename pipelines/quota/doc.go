// Package quota forecasts when an account's API budget is used up, from the
// vendor's own counter (signals of kind api_usage), and says what then stops
// without an error. The alert is on the forecast: a 429 comes too late.
package quota

//go:generate go tool msgp -tests=false -io=false -o state_gen.go -file state.go
