// Package login knows who looks at the console and what they may do: by a
// bearer token, by the cookie a token was exchanged for, or by a proxy in front
// that has already asked.
package login
