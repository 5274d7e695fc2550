package console

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/services/console/ask"
)

// cell is one value as a person reads it.
type cell struct {
	Kind  ask.Kind
	Text  string
	Label string
	Href  string
	At    *stamp   // of a time
	List  []string // of a list, or pairs
	Long  bool     // it takes a line of its own on a phone
	Tone  string   // ok, warning, breach: for words that say how things stand
}

const (
	longest  = 400 // characters of one value
	mostList = 12
)

// newCell writes a value by what it means.
func newCell(k ask.Kind, value any, now time.Time) cell {
	c := cell{Kind: k}
	value = plain(value)
	if value == nil {
		return c
	}
	switch x := value.(type) {
	case time.Time:
		if x.Unix() > 0 {
			c.At = newStamp(x, now)
			c.Text = c.At.Text
		}
	case bool:
		c.Text = map[bool]string{true: "yes", false: ""}[x]
	case []string:
		c.List = shortList(x)
	case map[string]string:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			c.List = append(c.List, name+" = "+shorten(x[name], longest))
		}
		c.List = shortList(c.List)
	case string:
		c.Text = shorten(x, longest)
		c.Long = len(c.Text) > 24
		if k == ask.Word {
			c.Text, c.Tone = strings.ReplaceAll(x, "_", " "), tones[x]
		}
	default:
		c.Text = measure(k, toFloat(value))
	}
	return c
}

func shortList(list []string) []string {
	if len(list) > mostList {
		return append(slices.Clone(list[:mostList]), fmt.Sprintf("and %d more", len(list)-mostList))
	}
	return list
}

func measure(k ask.Kind, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	switch k {
	case ask.Ratio:
		return percent(v)
	case ask.Ms:
		return duration(v)
	case ask.Flag:
		return map[bool]string{true: "yes", false: ""}[v != 0]
	case ask.Count:
		if v < 0 {
			return "−" + number(uint64(-v))
		}
		return number(uint64(v))
	}
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

// plain follows a pointer; one to nothing is nil.
func plain(value any) any {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Pointer {
		return value
	}
	if v.IsNil() {
		return nil
	}
	return v.Elem().Interface()
}

func toFloat(value any) float64 {
	v := reflect.ValueOf(value)
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	case v.CanFloat():
		return v.Float()
	}
	return math.NaN()
}

// blank reports whether a value says nothing. Zero says something.
func blank(value any) bool {
	switch x := plain(value).(type) {
	case nil:
		return true
	case string:
		return x == ""
	case time.Time:
		return x.Unix() <= 0
	case []string:
		return len(x) == 0
	case map[string]string:
		return len(x) == 0
	}
	return false
}

// tones are the words that say how things stand; all others are neutral.
var tones = map[string]string{
	"ok": "ok", "applied": "ok", "verified": "ok", "resolved": "ok", "complete": "ok",
	"warning": "warning", "stalled": "warning", "acknowledged": "", "sampled": "warning", "ticket": "warning", "pending": "warning", "P2": "warning",
	"open": "breach", "error": "breach", "failed": "breach", "not_applied": "breach", "tripped": "breach", "breach": "breach", "firing": "breach",
	"page": "breach", "P1": "breach", "confirmed": "breach", "permanent": "breach",
	"unknown": "unknown", "unobserved": "unknown", "planned": "unknown", "uncovered": "warning",
}
