// Package config reads the one config file: strict YAML into the types of
// schemas/config, defaults filled, every reference checked. An error names
// the line and what was expected there, so that nobody has to read code to
// repair a file. It also resolves secrets, which the file only refers to.
package config

//go:generate go test . -run TestReference -update
