package ingest

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"plumbline.dev/schemas/config"
)

// senders knows who may post own formats. Tokens are kept and compared as
// hashes: equally long, so that no length leaks.
type senders struct {
	ids    []string
	tokens [][sha256.Size]byte
}

// minToken keeps out tokens that can be guessed.
const minToken = 16

func loadSenders(list []config.Sender, secrets Secrets) (*senders, error) {
	s := &senders{}
	for _, x := range list {
		for _, ref := range x.Tokens {
			token, err := secrets.Resolve(ref)
			if err != nil {
				return nil, fmt.Errorf("sender %s: %w", x.ID, err)
			}
			if len(token) < minToken {
				return nil, fmt.Errorf("sender %s: token %s has %d bytes, want at least %d", x.ID, ref, len(token), minToken)
			}
			s.ids, s.tokens = append(s.ids, x.ID), append(s.tokens, sha256.Sum256(token))
		}
	}
	return s, nil
}

// who is the sender of the request, or "". Every token is compared.
func (s *senders) who(h http.Header) string {
	v := h["Authorization"]
	if len(v) != 1 || len(v[0]) < 7 || !strings.EqualFold(v[0][:7], "Bearer ") {
		return ""
	}
	sum := sha256.Sum256([]byte(v[0][7:]))
	found := -1
	for i := range s.tokens {
		if subtle.ConstantTimeCompare(sum[:], s.tokens[i][:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return ""
	}
	return s.ids[found]
}
