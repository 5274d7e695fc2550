module plumbline.dev/schemas

go 1.26.0

require (
	github.com/stretchr/testify v1.12.1
	github.com/tinylib/msgp v1.6.5
	go.yaml.in/yaml/v3 v3.0.5
	pgregory.net/rapid v1.3.0
)

require (
	github.com/philhofer/fwd v1.2.0 // indirect
	golang.org/x/mod v0.18.0 // indirect
	golang.org/x/tools v0.22.0 // indirect
)

tool github.com/tinylib/msgp
