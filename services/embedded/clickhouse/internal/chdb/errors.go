package chdb

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is an exception of the engine, with ClickHouse's code.
type Error struct {
	Code    int
	Message string // without the "Code: N. DB::Exception: " prefix
}

func (e *Error) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s", e.Code, e.Message)
}

var exception = regexp.MustCompile(`(?s)^Code: (\d+)\. DB::[A-Za-z:]*Exception: (.*)$`)

// ParseError turns the engine's text into an Error; text without a code gets UNKNOWN_EXCEPTION (1002).
func ParseError(text string) *Error {
	text = strings.TrimSpace(text)
	m := exception.FindStringSubmatch(text)
	if m == nil {
		return &Error{Code: 1002, Message: text}
	}
	code, _ := strconv.Atoi(m[1])
	// A wrapped exception repeats its prefix; clients look for the code at the front only.
	return &Error{Code: code, Message: m[2]}
}
