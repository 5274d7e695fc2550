package streamtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// options are the name=value words, fields and actor of a statement. Each
// verb takes what it knows; finish refuses what is left.
type options struct {
	clock  clock
	values map[string]string
	asked  map[string]bool
	fields []event.Field
	actor  event.Actor
	err    error // first value that could not be read
}

// parseOptions parts arguments from options.
func parseOptions(w []string, c clock) ([]string, *options, error) {
	o := &options{clock: c, values: map[string]string{}, asked: map[string]bool{}}
	var args []string
	for i := 0; i < len(w); i++ {
		name, value, isOption := strings.Cut(w[i], "=")
		switch {
		case w[i] == "by":
			if i++; i == len(w) {
				return nil, nil, fmt.Errorf("by needs an actor, KIND:ID or KIND:ID:RUN")
			}
			if err := o.by(w[i]); err != nil {
				return nil, nil, err
			}
		case strings.HasPrefix(name, "."):
			if err := o.field(name[1:], value); err != nil {
				return nil, nil, err
			}
		case isOption:
			if _, twice := o.values[name]; twice {
				return nil, nil, fmt.Errorf("%s= stands twice", name)
			}
			o.values[name] = value
		default:
			args = append(args, w[i])
		}
	}
	slices.SortFunc(o.fields, func(a, b event.Field) int { return strings.Compare(a.Name, b.Name) })
	return args, o, nil
}

func (o *options) by(s string) error {
	part := strings.SplitN(s, ":", 3)
	if !slices.Contains(event.ActorKinds, part[0]) {
		return fmt.Errorf("actor %q: the kind is one of %s", s, strings.Join(event.ActorKinds, ", "))
	}
	part = append(part, "", "")
	o.actor = event.Actor{Kind: part[0], ID: part[1], Run: part[2]}
	return nil
}

var kinds = []string{
	event.KindText, event.KindNumber, event.KindBool, event.KindNull, event.KindJSON, event.KindHash, event.KindSeal,
}

func (o *options) field(name, text string) error {
	name, kind, _ := strings.Cut(name, ":")
	if name == "" || !slices.Contains(kinds, kind) {
		return fmt.Errorf("field .%s:%s: write .name=text, or .name:kind=text with one of%s", name, kind, strings.Join(kinds, " "))
	}
	if _, twice := event.Find(o.fields, name); twice {
		return fmt.Errorf("field .%s stands twice", name)
	}
	o.fields = append(o.fields, event.Field{Name: name, Value: event.Value{Kind: kind, Text: text}})
	return nil
}

// text takes an option, or its default.
func (o *options) text(name, otherwise string) string {
	o.asked[name] = true
	v, ok := o.values[name]
	if !ok {
		return otherwise
	}
	delete(o.values, name)
	return v
}

func (o *options) number(name string) int64 {
	v := o.text(name, "0")
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("%s=%s is not a whole number", name, v)
	}
	return n
}

func (o *options) yes(name string) bool {
	v := o.text(name, "no")
	if v != "yes" && v != "no" && o.err == nil {
		o.err = fmt.Errorf("%s=%s: write yes or no", name, v)
	}
	return v == "yes"
}

func (o *options) time(name string) event.Time {
	v := o.text(name, "")
	if v == "" {
		return 0
	}
	t, err := o.clock.parse(v)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("%s: %w", name, err)
	}
	return t
}

func (o *options) list(name string) []string {
	v := o.text(name, "")
	if v == "" {
		return nil
	}
	return strings.Split(v, ",")
}

// finish reports the first value that could not be read, or a name nobody
// asked for: most likely it is misspelt.
func (o *options) finish() error {
	if o.err != nil || len(o.values) == 0 {
		return o.err
	}
	return fmt.Errorf("no option is called %q here: there are %s", sorted(o.values)[0], strings.Join(sorted(o.asked), ", "))
}
