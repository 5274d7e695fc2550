package server

import (
	"errors"
	"net/http"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
)

// ClickHouse's codes for what this server itself refuses.
const (
	codeCannotRead     = 33
	codeBadArguments   = 36
	codeNotImplemented = 48
	codeSyntax         = 62
	codeReadOnly       = 164
	codeTooManyQueries = 202
	codeNetwork        = 210
	codeSameQueryID    = 216
	codeTooLarge       = 229
	codeOutfile        = 358
	codeSessionMissing = 372
	codeSessionLocked  = 373
	codeCancelled      = 394
	codeAccessDenied   = 497
	codeAuthentication = 516
	codeUnknown        = 1002
)

// notStreamable begins the message for a statement that must be run with Query.
const notStreamable = "Streaming query is not supported"

func fail(code int, message string) error { return &chdb.Error{Code: code, Message: message} }

// codeOf is the code a client sees.
func codeOf(err error) int {
	if e, ok := errors.AsType[*chdb.Error](err); ok {
		return e.Code
	}
	return codeUnknown
}

// statusCodes lists, as ClickHouse does, the exceptions that are not answered with 500.
var statusCodes = map[int][]int{
	http.StatusBadRequest: {
		6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676,
	},
	http.StatusUnauthorized:          {194},
	http.StatusForbidden:             {192, 193, 497, 512, 516},
	http.StatusNotFound:              {46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511},
	http.StatusRequestTimeout:        {159},
	http.StatusLengthRequired:        {381},
	http.StatusRequestEntityTooLarge: {229},
	http.StatusUnsupportedMediaType:  {779},
	http.StatusNotImplemented:        {48},
	http.StatusServiceUnavailable:    {76, 209, 439},
}

var statusByCode = func() map[int]int {
	m := map[int]int{}
	for status, codes := range statusCodes {
		for _, code := range codes {
			m[code] = status
		}
	}
	return m
}()

func statusOf(code int) int {
	if s, ok := statusByCode[code]; ok {
		return s
	}
	return http.StatusInternalServerError
}
