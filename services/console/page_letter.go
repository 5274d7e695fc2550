package console

import (
	"context"
	"unicode/utf8"

	"plumbline.dev/services/console/ask"
)

// Letters opens what was put aside and takes it in again. Ids are of dead
// letters that the person may see.
type Letters interface {
	Open(ctx context.Context, id string) ([]byte, error)
	// Replay takes one in again; a dry one says what would happen and writes nothing.
	Replay(ctx context.Context, id string, dry bool) (events int, refused []string, err error)
}

// letterPage is one dead letter.
type letterPage struct {
	ID    string
	Facts *sheet
	Can   bool // it can be opened and replayed here
	Bytes string
	Odd   bool // shown in hex
}

func loadLetter(ctx context.Context, v *visit) (*content, error) {
	id := v.get("dead_letter_id")
	a, err := v.ask(ctx, "dead_letters", 1, map[string]string{"dead_letter_id": id}, func(p *ask.Params) { p.From = v.now.Add(-2 * month) })
	if err != nil {
		return nil, err
	}
	if len(a.Rows) == 0 {
		return nil, errNotThere
	}
	return &content{Title: "Dead letter " + shorten(id, 12), Data: &letterPage{ID: id, Facts: v.sheet(a), Can: v.s.o.Letters != nil}}, nil
}

const mostBytes = 64 << 10 // of a letter that are shown

// show is a letter's bytes as text, or in hex.
func (p *letterPage) show(raw []byte) {
	if len(raw) > mostBytes {
		raw = raw[:mostBytes]
	}
	if p.Odd = !utf8.Valid(raw); p.Odd {
		p.Bytes = hexWords(raw)
		return
	}
	p.Bytes = string(raw)
}
