package classify

import (
	"encoding/hex"
	"sync/atomic"
)

// printVersion changes when the template changes: fingerprints of different
// versions never meet in one incident.
const printVersion = "1-"

const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
	maxPrint = 512 // bytes of message that count
)

func fnv(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return (h ^ 0x1f) * fnvPrime
}

// template hashes a message without what differs from record to record:
// quoted text, words with digits, e-mails, addresses, mark-up.
func template(h uint64, msg string) uint64 {
	msg = msg[:min(len(msg), maxPrint)]
	for i := 0; i < len(msg); {
		c := msg[i]
		switch {
		case c == '"' || c == '\'' || c == '`':
			i = skipQuoted(msg, i)
		case alnum[c]:
			end := i
			varies := false
			for end < len(msg) && (alnum[msg[end]] || joins(msg, end)) {
				varies = varies || msg[end] <= '9' && msg[end] != '-' && msg[end] != '.' && msg[end] != '\'' || msg[end] == '@'
				end++
			}
			if end+2 < len(msg) && msg[end:end+3] == "://" {
				varies, end = true, skipUntilSpace(msg, end)
			}
			if !varies {
				h = fnvFold(h, msg[i:end])
			}
			i = end
		default:
			i++
		}
	}
	return h
}

// joins keeps e-mails, ids and contractions in one word.
func joins(s string, i int) bool {
	switch s[i] {
	case '_', '@':
		return true
	case '-', '.', '\'':
		return i+1 < len(s) && alnum[s[i+1]]
	}
	return false
}

func fnvFold(h uint64, s string) uint64 {
	for i := range len(s) {
		c := s[i]
		if upper[c] {
			c += 32
		}
		h = (h ^ uint64(c)) * fnvPrime
	}
	return (h ^ ' ') * fnvPrime
}

// skipQuoted steps behind the closing quote; a quote that is never closed is
// an apostrophe.
func skipQuoted(s string, i int) int {
	for j := i + 1; j < len(s) && j < i+256; j++ {
		if s[j] == s[i] {
			return j + 1
		}
	}
	return i + 1
}

// printCache keeps fingerprints as strings so that the common path does not
// allocate. A slot holds the last of its hashes; the text is a function of the
// hash, so a lost race costs an allocation, never an answer.
type printCache struct {
	slots [1024]atomic.Pointer[printed]
}

type printed struct {
	hash uint64
	text string
}

func (p *printCache) text(h uint64) string {
	slot := &p.slots[h%uint64(len(p.slots))]
	if got := slot.Load(); got != nil && got.hash == h {
		return got.text
	}
	var raw [8]byte
	for i := range raw {
		raw[i] = byte(h >> (56 - 8*i))
	}
	made := &printed{hash: h, text: printVersion + hex.EncodeToString(raw[:])}
	slot.Store(made)
	return made.text
}
