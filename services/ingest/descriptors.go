package ingest

import "syscall"

// ours is how many open files the log, the spool and the rest of the process
// need, whatever strangers do.
const ours = 128

// connections is the limit as far as the process may open files: a sender too
// many waits for its turn, and never costs the spool its disk or the log its
// connection.
func connections(limit int) int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil || r.Cur > 1<<20 {
		return limit
	}
	return max(min(limit, int(r.Cur)-ours), 16) //nolint:gosec // checked above
}
