package stream

import (
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

//msgp:limit arrays:65536

// PositionKey is the changelog key of a task's position. It ends every
// transaction: what stands between two positions is one transaction's state.
const PositionKey = "@position"

// Position says up to where an input partition is folded into the state that
// precedes it in the changelog.
type Position struct {
	Next int64      `msg:"next"` // first input offset not yet folded
	Prev int64      `msg:"prev"` // Next of the transaction before
	Now  event.Time `msg:"now"`  // stream time
	Seen []Seen     `msg:"seen"` // highest cause per upstream partition, sorted

	// Entries is how many state entries of its transaction stand before it. A
	// broker that lets entries of an aborted transaction show puts more there.
	Entries int `msg:"entries"`
}

// Seen is the highest cause folded from one upstream partition.
type Seen struct {
	Topic     string `msg:"t"`
	Partition int32  `msg:"p"`
	Offset    int64  `msg:"o"`
	N         int32  `msg:"n"`
}

func (s Seen) cause() topic.Cause {
	return topic.Cause{Topic: s.Topic, Partition: s.Partition, Offset: s.Offset, N: s.N}
}
