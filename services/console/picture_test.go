package console_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"
)

const tallest = 2200 // of a picture, before it is made smaller

// compact makes a picture half as large, cuts what hangs far below, and keeps
// the colours that are seen most: pictures in a repository have to be small.
func compact(raw []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	w, h := full.Bounds().Dx()/2, min(full.Bounds().Dy(), tallest)/2
	half := image.NewRGBA(image.Rect(0, 0, w, h))
	count := map[color.RGBA]int{}
	for y := range h {
		for x := range w {
			var r, g, b uint32
			for _, d := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
				pr, pg, pb, _ := full.At(2*x+d[0], 2*y+d[1]).RGBA()
				r, g, b = r+pr>>8, g+pg>>8, b+pb>>8
			}
			c := color.RGBA{uint8(r/4) &^ 7, uint8(g/4) &^ 7, uint8(b/4) &^ 7, 255} //nolint:gosec // a mean of bytes is one
			half.SetRGBA(x, y, c)
			count[c]++
		}
	}
	small := image.NewPaletted(half.Bounds(), palette(count, 31))
	near := map[color.RGBA]uint8{}
	for y := range h {
		for x := range w {
			c := half.RGBAAt(x, y)
			i, ok := near[c]
			if !ok {
				i = uint8(small.Palette.Index(c)) //nolint:gosec // of fewer than 256
				near[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small)
	return out.Bytes(), err
}

func palette(count map[color.RGBA]int, most int) color.Palette {
	var all []color.RGBA
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return int(a.R)<<16 + int(a.G)<<8 + int(a.B) - int(b.R)<<16 - int(b.G)<<8 - int(b.B)
	})
	var out color.Palette
	for _, c := range all[:min(most, len(all))] {
		out = append(out, c)
	}
	return out
}
