package classify

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// Phrase is words that were seen with one meaning. Rules know phrasings; where
// none does, an answer is compared with all phrases, word by word, as a naive
// Bayes classifier does. It speaks only where a bare status would.
type Phrase struct {
	Class          string   `yaml:"class"`
	Recoverability string   `yaml:"recoverability"`
	Said           []string `yaml:"said"` // "401 key switched off": a status or none, then words in any order
}

const (
	alikeConfidence = 0.57 // above what a bare status says, below every rule about words
	alikeEnough     = 0.8  // share of the likelihood that the best meaning must have
	alikeWords      = 3    // known words an answer must have at least
	alikeSmooth     = 0.3  // added to each count: a word not yet seen is no proof
	maxAlike        = 1 << 12
)

// sense is one class and recoverability that phrases have.
type sense struct {
	rule  *compiled
	lines int
	words int
	log   float64
}

// phrasebook is what the phrases taught.
type phrasebook struct {
	senses []sense
	counts map[string][]int // word to how many lines of each sense have it
	weight [][]float64      // by word of the lexicon: log likelihood in each sense
	status map[int][]float64
	names  []string
	unseen []float64 // of a status that no phrase has
	lines  int
}

func (p *Phrase) validate() error {
	if !slices.Contains(event.Classes, p.Class) || p.Recoverability != event.Temporary && p.Recoverability != event.Permanent {
		return fmt.Errorf("%w: phrases of %q %q: want a class and temporary or permanent", ErrRules, p.Class, p.Recoverability)
	}
	return nil
}

// learn counts the lines of one meaning.
func (b *phrasebook) learn(p *Phrase) {
	i := slices.IndexFunc(b.senses, func(s sense) bool {
		return s.rule.Class == p.Class && s.rule.Recoverability == p.Recoverability
	})
	if i < 0 {
		i = len(b.senses)
		b.senses = append(b.senses, sense{rule: alikeRule(p.Class, p.Recoverability)})
	}
	for _, line := range p.Said {
		b.lines++
		b.senses[i].lines++
		words := strings.Fields(strings.ToLower(line))
		slices.Sort(words)
		for _, w := range slices.Compact(words) {
			n := b.counts[w]
			for len(n) <= i {
				n = append(n, 0)
			}
			n[i]++
			b.counts[w] = n
			b.senses[i].words++
		}
	}
}

func alikeRule(class, recoverability string) *compiled {
	r := &Rule{
		ID: "words.alike", Class: class, Recoverability: recoverability, Attribution: event.ByUnknown, Confidence: alikeConfidence,
		Cause: guides[class].cause, Step: guides[class].step,
	}
	if class == event.ClassAuth {
		r.Step = undecided
	}
	return &compiled{Rule: r}
}

// weigh turns counts into weights; words used once say nothing.
func (b *phrasebook) weigh(l *lexicon) {
	vocabulary := 0
	for _, n := range b.counts {
		if total(n) > 1 {
			vocabulary++
		}
	}
	b.status, b.unseen = map[int][]float64{}, b.logs(nil, vocabulary)
	for i := range b.senses {
		b.senses[i].log = math.Log(float64(b.senses[i].lines) / float64(b.lines))
	}
	for w, n := range b.counts {
		if total(n) < 2 {
			continue
		}
		if code, err := strconv.Atoi(w); err == nil {
			b.status[code] = b.logs(n, vocabulary)
			continue
		}
		id := l.known(w)
		for int(id) >= len(b.weight) {
			b.weight, b.names = append(b.weight, nil), append(b.names, "")
		}
		b.weight[id], b.names[id] = b.logs(n, vocabulary), w
	}
	b.counts = nil
}

func (b *phrasebook) logs(n []int, vocabulary int) []float64 {
	out := make([]float64, len(b.senses))
	for i := range out {
		c := alikeSmooth
		if i < len(n) {
			c += float64(n[i])
		}
		out[i] = math.Log(c / (float64(b.senses[i].words) + alikeSmooth*float64(vocabulary)))
	}
	return out
}

func total(n []int) int {
	sum := 0
	for _, x := range n {
		sum += x
	}
	return sum
}

// alike compares the words of an answer with the phrases, where nothing else
// says more than the status does.
func (w *weigher) alike() {
	b := &w.c.book
	if len(b.senses) == 0 || w.confidence >= alikeConfidence || !w.s.told || len(b.senses) > maxSenses {
		return
	}
	var score [maxSenses]float64
	var seen [maxAlike / 64]uint64
	known := 0
	for _, id := range w.s.words[:w.s.nwords] {
		if int(id) >= len(b.weight) || b.weight[id] == nil || id >= maxAlike || seen[id>>6]&(1<<(id&63)) != 0 {
			continue
		}
		seen[id>>6] |= 1 << (id & 63)
		known++
		for i, x := range b.weight[id] {
			score[i] += x
		}
	}
	if known < alikeWords {
		return
	}
	status := b.status[w.status]
	if status == nil {
		status = b.unseen
	}
	for i := range b.senses {
		score[i] += b.senses[i].log + status[i]
	}
	w.likeliest(score[:len(b.senses)], &seen)
}

const maxSenses = 16

func (w *weigher) likeliest(score []float64, seen *[maxAlike / 64]uint64) {
	best := 0
	for i := range score {
		if score[i] > score[best] {
			best = i
		}
	}
	sum := 0.0
	for i := range score {
		sum += math.Exp(score[i] - score[best])
	}
	if 1/sum >= alikeEnough {
		w.offer(w.c.book.senses[best].rule, alikeConfidence, w.c.book.evidence(best, seen))
	}
}

// evidence names the three words that speak most for a sense.
func (b *phrasebook) evidence(best int, seen *[maxAlike / 64]uint64) string {
	type word struct {
		id   int
		lead float64
	}
	var words []word
	for id := range b.weight {
		if id < maxAlike && b.weight[id] != nil && seen[id>>6]&(1<<(id&63)) != 0 {
			mean := 0.0
			for _, x := range b.weight[id] {
				mean += x
			}
			words = append(words, word{id, b.weight[id][best] - mean/float64(len(b.weight[id]))})
		}
	}
	slices.SortFunc(words, func(x, y word) int {
		switch {
		case x.lead > y.lead:
			return -1
		case x.lead < y.lead:
			return 1
		}
		return x.id - y.id
	})
	var names []string
	for _, x := range words[:min(3, len(words))] {
		names = append(names, `"`+b.names[x.id]+`"`)
	}
	return "no rule knows it; words such as " + strings.Join(names, ", ") + " are those of such failures"
}
