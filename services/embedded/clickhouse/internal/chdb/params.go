package chdb

import (
	"runtime"
	"unsafe"
)

// Param is a value for a {name:Type} placeholder, in ClickHouse's escaped text form.
type Param struct{ Name, Value string }

// boundParams holds the C arrays of one call. They must stay pinned until the call returns.
type boundParams struct {
	pins                              runtime.Pinner
	names, nameLens, values, valueLen unsafe.Pointer
	count                             uintptr
}

func bindParams(params []Param) *boundParams {
	b := &boundParams{count: uintptr(len(params))}
	if len(params) == 0 {
		return b
	}
	names, nameLens := b.array(params, func(p Param) string { return p.Name })
	values, valueLens := b.array(params, func(p Param) string { return p.Value })
	b.names, b.nameLens, b.values, b.valueLen = names, nameLens, values, valueLens
	return b
}

func (b *boundParams) array(params []Param, get func(Param) string) (ptrs, lens unsafe.Pointer) {
	p, n := make([]unsafe.Pointer, len(params)), make([]uintptr, len(params))
	for i, param := range params {
		text := append([]byte(get(param)), 0)
		b.pins.Pin(&text[0])
		p[i], n[i] = unsafe.Pointer(&text[0]), uintptr(len(text)-1)
	}
	b.pins.Pin(&p[0])
	b.pins.Pin(&n[0])
	return unsafe.Pointer(&p[0]), unsafe.Pointer(&n[0])
}

func (b *boundParams) release() { b.pins.Unpin() }
