package clickhouse

import "time"

const (
	waitLong  = 15 * time.Second
	tick      = 20 * time.Millisecond
	parentArg = "__parent"
)

func parentMain(string) {}
