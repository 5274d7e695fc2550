package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

func TestSplit(t *testing.T) {
	for body, want := range map[string][]string{
		`[]`:                         nil,
		` [ ] `:                      nil,
		`[{"a":"]},{"},{"b":[1]}]`:   {`{"a":"]},{"}`, `{"b":[1]}`},
		`[1 , "x\"]" ,null]`:         {`1`, `"x\"]"`, `null`},
		`["\\", "\\\""]`:             {`"\\"`, `"\\\""`},
		`{"a":{"b":"}"}}`:            {`{"a":{"b":"}"}}`},
		"{}\n{\"a\":1}\r\n\n  {}":    {`{}`, `{"a":1}`, `{}`},
		`[` + nested(MaxDepth) + `]`: {nested(MaxDepth)},
	} {
		got, err := Split(nil, []byte(body), 10)
		require.NoError(t, err, body)
		var texts []string
		for _, e := range got {
			texts = append(texts, string(e))
		}
		require.Equal(t, want, texts, body)
	}
	for _, body := range []string{
		"", "x", "[", "[1", "[1,", `["`, `["\"]`, "[1]2", "[{]}", "[}", "{", "{} x", "{}[", "[" + nested(MaxDepth+1) + "]",
	} {
		_, err := Split(nil, []byte(body), 10)
		require.ErrorIs(t, err, ErrSyntax, body)
	}
	_, err := Split(nil, []byte("[1,2,3]"), 2)
	require.ErrorIs(t, err, ErrTooMany)
	_, err = Split(nil, []byte("{}{}{}"), 2)
	require.ErrorIs(t, err, ErrTooMany)
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestTime(t *testing.T) {
	for text, want := range map[string]event.Time{
		`"2026-01-02T03:04:05.678Z"`: 1767323045678, `1767323045`: 1767323045000, `1767323045678`: 1767323045678,
		`1767323045.5`: 1767323045500, `1.767323045e9`: 1767323045000, `null`: 0,
	} {
		got, err := Time(jsontext.Value(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{`0`, `-1`, `1e400`, `9e18`, `99999999999999999999`, `"now"`, `"2026-01-02"`, `true`, `{}`, `""`, `"0000-01-01T00:00:00Z"`} {
		_, err := Time(jsontext.Value(text))
		require.ErrorIs(t, err, errTime, text)
	}
}

func TestCanonicalKeepsDigits(t *testing.T) {
	a := ContentID("k", []byte(`{"b":[1, 9007199254740993],"a":"x"}`))
	require.Equal(t, a, ContentID("k", []byte(`{ "a":"\u0078", "b":[1,9007199254740993] }`)))
	require.NotEqual(t, a, ContentID("k", []byte(`{"b":[1, 9007199254740992],"a":"x"}`)))
	require.NotEqual(t, a, ContentID("other", []byte(`{"b":[1, 9007199254740993],"a":"x"}`)))
}

// What Split takes for the elements of valid JSON are its elements.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{`[{"a":"]"},2]`, `["\\\""]`, "{}\n{}", `[[[]],{}]`, "[1 ,\t2]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := Split(nil, []byte(body), 1000)
		var want []json.RawMessage
		if json.Unmarshal([]byte(body), &want) != nil || want == nil || err != nil {
			return
		}
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, string(want[i]), string(got[i]))
		}
	})
}
