package chdb

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseError(t *testing.T) {
	e := ParseError("Code: 60. DB::Exception: no\ntable. (UNKNOWN_TABLE)\n")
	require.Equal(t, &Error{Code: 60, Message: "no\ntable. (UNKNOWN_TABLE)"}, e)
	require.Equal(t, "Code: 60. DB::Exception: no\ntable. (UNKNOWN_TABLE)", e.Error())
	require.Equal(t, 27, ParseError("Code: 27. DB::ParsingException: x").Code)
	require.Equal(t, &Error{Code: 1002, Message: "odd"}, ParseError("odd"))
}
