// Package metadata compares what two looks at a system's schema saw, and holds
// the two sides of a mapping against each other: what has changed, and what will
// break at the next write.
package metadata
