module plumbline.dev/bench/peers

go 1.26.0

require github.com/twmb/franz-go v1.22.2

require (
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/twmb/franz-go/pkg/kadm v1.19.0
	github.com/twmb/franz-go/pkg/kmsg v1.15.0 // indirect
	plumbline.dev/schemas v0.0.0
)

replace plumbline.dev/schemas => ../../../schemas
