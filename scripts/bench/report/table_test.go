package main

import (
	"slices"
	"strings"
	"testing"
)

const printed = `
| round | receiver | req/s | note |
|---|---|---|---|
| 1 | plumbline | 24,400 | x |
| 2 | plumbline | 20000 | x |
| 1 | naive | 10000 | x |
noise
## rows stored
| figure | value |
|---|---|
| RSS MiB | 12.5 |
BenchmarkClassify/code-2   	 5000000	       210.0 ns/op	       0 B/op	       0 allocs/op
`

func TestFiguresOfWhatProgramsPrint(t *testing.T) {
	sums := summarise(read(printed))
	if len(sums) != 4 {
		t.Fatalf("%d rows: %+v", len(sums), sums)
	}
	ours := sums[0]
	if ours.Rounds != 2 || ours.Medians[0] != 22_200 || ours.Least[0] != 20_000 || ours.Most[0] != 24_400 || !slices.Equal(ours.Labels, []string{"plumbline", "x"}) {
		t.Errorf("ours: %+v", ours)
	}
	if !slices.Equal(sums[2].Labels, []string{"rows stored", "RSS MiB"}) || sums[2].Medians[0] != 12.5 {
		t.Errorf("under a heading: %+v", sums[2])
	}
	if !slices.Equal(sums[3].Labels, []string{"Classify/code"}) || sums[3].Medians[0] != 210 || len(sums[3].Columns) != 3 {
		t.Errorf("a benchmark: %+v", sums[3])
	}
	text := markdown(sums)
	for _, want := range []string{"| plumbline, x | 22,200 (20,000 - 24,400) |", "ours ÷ naive, x: req/s 2.22"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
