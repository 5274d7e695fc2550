package console

import (
	"fmt"
	"math"
	"strings"
)

// Size of a sparkline's drawing; CSS scales it.
const (
	sparkWidth  = 320.
	sparkHeight = 56.
	sparkEdge   = 4.
)

// Spark is a small chart as SVG paths. Where nothing was measured the line has
// a gap.
type Spark struct {
	Line, Area string
	Dots       []dot  // points without neighbours
	Target     string // y of the target line, empty when it is off the chart
	Last       *dot
	Marks      []mark
	Label      string // the chart in words
}

type dot struct{ X, Y string }

type point struct {
	at    int // bucket, from 0
	value float64
}

// newSpark draws points over n buckets between low and high.
func newSpark(points []point, n int, low, high, target float64) *Spark {
	if len(points) == 0 || n < 2 {
		return nil
	}
	if high <= low {
		high = low + 1
	}
	x := func(at int) float64 { return sparkEdge + (sparkWidth-2*sparkEdge)*float64(at)/float64(n-1) }
	y := func(v float64) float64 {
		v = math.Max(low, math.Min(high, v))
		return sparkHeight - sparkEdge - (sparkHeight-2*sparkEdge)*(v-low)/(high-low)
	}
	s := &Spark{}
	if target > low && target < high {
		s.Target = coordinate(y(target))
	}
	var line, area strings.Builder
	for i := 0; i < len(points); {
		j := i + 1
		for j < len(points) && points[j].at == points[j-1].at+1 {
			j++
		}
		if j == i+1 {
			s.Dots = append(s.Dots, dot{coordinate(x(points[i].at)), coordinate(y(points[i].value))})
		} else {
			stroke(&line, &area, points[i:j], x, y)
		}
		i = j
	}
	last := points[len(points)-1]
	s.Line, s.Area = line.String(), area.String()
	s.Last = &dot{coordinate(x(last.at)), coordinate(y(last.value))}
	return s
}

func stroke(line, area *strings.Builder, points []point, x func(int) float64, y func(float64) float64) {
	fmt.Fprintf(area, "M%s %s", coordinate(x(points[0].at)), coordinate(sparkHeight))
	for i, p := range points {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		at := coordinate(x(p.at)) + " " + coordinate(y(p.value))
		line.WriteString(verb + at)
		area.WriteString("L" + at)
	}
	fmt.Fprintf(area, "L%s %sZ", coordinate(x(points[len(points)-1].at)), coordinate(sparkHeight))
}

func coordinate(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }
