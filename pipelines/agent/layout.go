package agent

import "plumbline.dev/pipelines/compact"

// layout is how touched records are kept and logged; package compact says how
// it may change. Before, they were MessagePack: state_gen.go still reads that.
var layout = compact.New[Touched]()

// AppendState writes the state as it is kept and logged.
func (t *Touched) AppendState(b []byte) []byte { return layout.Append(b, t) }

// ReadState reads it.
func (t *Touched) ReadState(b []byte) error { return layout.Read(b, t) }
