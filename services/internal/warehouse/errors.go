package warehouse

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Kind is what a failed statement asks its caller to do.
type Kind string

// Kinds.
const (
	// KindData: the server refused these rows for good and stored none of
	// them. Find the bad one; the same bytes never work.
	KindData Kind = "data"
	// KindSchema: the tables are not what this version expects. No row is at
	// fault; somebody has to look.
	KindSchema Kind = "schema"
	// KindRetryable: the server refused for a reason that passes (memory,
	// disk, too many parts, read-only).
	KindRetryable Kind = "retryable"
	// KindAmbiguous: nobody knows whether it happened. Stop the query, look,
	// then decide.
	KindAmbiguous Kind = "ambiguous"
)

// Error is a failed statement with the decision it carries.
type Error struct {
	Kind Kind
	Code int32 // ClickHouse's, 0 when it did not answer
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the decision an error carries; what nobody classified is
// ambiguous, the one answer that is never wrong.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindAmbiguous
}

// CodeOf returns the code ClickHouse answered with, or 0.
func CodeOf(err error) int32 {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}

// CodeMemoryLimit is MEMORY_LIMIT_EXCEEDED.
const CodeMemoryLimit = 241

// Codes of ClickHouse. Whatever is in no list is retryable: giving a row up
// needs proof, waiting does not.
var (
	dataCodes = []int32{
		6,   // CANNOT_PARSE_TEXT
		26,  // CANNOT_PARSE_QUOTED_STRING
		27,  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
		38,  // CANNOT_PARSE_DATE
		41,  // CANNOT_PARSE_DATETIME
		53,  // TYPE_MISMATCH
		69,  // ARGUMENT_OUT_OF_BOUND
		70,  // CANNOT_CONVERT_TYPE
		72,  // CANNOT_PARSE_NUMBER
		117, // INCORRECT_DATA
		131, // TOO_LARGE_STRING_SIZE
		321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
		349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
		395, // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
		469, // VIOLATED_CONSTRAINT
	}
	schemaCodes = []int32{
		10, // NOT_FOUND_COLUMN_IN_BLOCK
		16, // NO_SUCH_COLUMN_IN_TABLE
		20, // NUMBER_OF_COLUMNS_DOESNT_MATCH
		47, // UNKNOWN_IDENTIFIER
		50, // UNKNOWN_TYPE
		60, // UNKNOWN_TABLE
		81, // UNKNOWN_DATABASE
	}
	// These say that the server gave up half-way, or on somebody's word.
	ambiguousCodes = []int32{
		159, // TIMEOUT_EXCEEDED
		209, // SOCKET_TIMEOUT
		210, // NETWORK_ERROR
		236, // ABORTED
		319, // UNKNOWN_STATUS_OF_INSERT
		394, // QUERY_WAS_CANCELLED
	}
)

// wrap classifies an error of the client library.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Kind: KindAmbiguous, Err: fmt.Errorf("%s: %w", doing, err)}
	var ex *clickhouse.Exception
	if !errors.As(err, &ex) {
		return e
	}
	e.Code = ex.Code
	switch {
	case slices.Contains(dataCodes, ex.Code):
		e.Kind = KindData
	case slices.Contains(schemaCodes, ex.Code):
		e.Kind = KindSchema
	case ex.Code != 0 && !slices.Contains(ambiguousCodes, ex.Code):
		e.Kind = KindRetryable
	}
	return e
}
