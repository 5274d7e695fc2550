// Package sink puts what analysts see into ClickHouse, counted once.
//
// One consumer group a topic, no transactions. Before an INSERT the exact
// ranges it covers are committed as the metadata of the offsets where they
// begin: the intent. After a clear success the offsets behind them are
// committed. In between, whatever happens, the next owner of a partition finds
// the intent, ends the INSERT that may still run, reads back which offsets
// have a row, and inserts the others. ClickHouse's own deduplication of
// inserts only makes this faster; nothing rests on it.
package sink
