// Package alert makes stories of conditions: what rules and incidents find,
// second by second, becomes few messages a person wants. It alone writes
// alerts (every change, numbered) and alert-states (how each alert stands).
//
// What cannot be measured is never resolved: the alert is frozen as unknown
// until it can be. The watchdog tells each minute that all this is alive.
package alert
