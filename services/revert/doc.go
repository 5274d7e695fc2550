// Package revert plans how to take back what an agent wrote: which fields to
// set to what, which to leave because somebody changed them since, and which
// nobody here can restore. It reads ClickHouse and writes to no CRM.
package revert
