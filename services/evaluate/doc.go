// Package evaluate holds what Plumbline says against what really happened. The
// truth is a file that the simulator wrote; what Plumbline says is read from
// ClickHouse, as any analyst would. Scoring itself is pure: same truth and
// same findings, same scores.
//
// What a scenario cannot decide is not counted: a difference that ended within
// its deadline was under way, and a change that nobody told of cannot be
// known. What Plumbline does not have yet reads "not measured", never 0.
package evaluate
