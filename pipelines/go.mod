module plumbline.dev/pipelines

go 1.26.0

require plumbline.dev/schemas v0.0.0

require go.yaml.in/yaml/v3 v3.0.5 // indirect

require (
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/goccy/go-yaml v1.19.2
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/stretchr/testify v1.12.1
	github.com/tinylib/msgp v1.6.5
	golang.org/x/mod v0.18.0 // indirect
	golang.org/x/tools v0.22.0 // indirect
	pgregory.net/rapid v1.3.0
)

replace plumbline.dev/schemas => ../schemas

tool github.com/tinylib/msgp
