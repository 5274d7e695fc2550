package console

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// percent cuts and never rounds up: 98.996 % under a target of 99 % must not
// read as 99 %.
func percent(v float64) string {
	cut := math.Floor(v*10000+1e-6) / 100
	if cut == 0 && v > 0 {
		return "< 0.01 %"
	}
	return strconv.FormatFloat(cut, 'f', -1, 64) + " %"
}

// duration of milliseconds with two units at most.
func duration(ms float64) string {
	if ms < 0 {
		return "−" + duration(-ms)
	}
	s := int64(ms / 1000)
	switch {
	case ms < 1000:
		return fmt.Sprintf("%d ms", int64(ms))
	case s < 10:
		return strconv.FormatFloat(math.Floor(ms/100)/10, 'f', -1, 64) + " s"
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 86400:
		return two(s/3600, "h", s%3600/60, "min")
	}
	return two(s/86400, "d", s%86400/3600, "h")
}

func two(a int64, unitA string, b int64, unitB string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unitA)
	}
	return fmt.Sprintf("%d %s %d %s", a, unitA, b, unitB)
}

// ago is coarse on purpose: a page that changes every second cannot be read.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d/time.Minute))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h ago", int(d/time.Hour))
	}
	return fmt.Sprintf("%d d ago", int(d/(24*time.Hour)))
}

// number with its thousands apart.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is "1 record", "2 records".
func plural(n uint64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + one + "s"
}

// shorten keeps a vendor's message from filling the page.
func shorten(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// excuse says in plain words why there are no newer numbers, and what to do.
func excuse(err error) (title, advice string) {
	code := int32(0)
	if e, ok := errors.AsType[*warehouse.Error](err); ok {
		code = e.Code
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) || code == 159:
		return "ClickHouse takes too long to answer", "Choose a shorter window, or see what else it is busy with."
	case warehouse.KindOf(err) == warehouse.KindSchema:
		return "The ClickHouse tables are not the ones this version needs", "Run plumbline schema apply, then reload this page."
	case code != 0:
		return "ClickHouse refused to answer (code " + strconv.Itoa(int(code)) + ")", "The console's log has its words."
	}
	return "ClickHouse does not answer", "Check that it runs and that clickhouse.dsn leads to it. Events wait in Kafka meanwhile, as long as ingest runs."
}

// containsWord reports whether a word stands in a text by itself.
func containsWord(text, word string) bool {
	return slices.ContainsFunc(strings.Fields(strings.ReplaceAll(text, ",", " ")), func(f string) bool { return f == word })
}

// hexWords writes bytes that are no text.
func hexWords(b []byte) string { return hex.Dump(b) }
