package ingest

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/ingest/verify"
)

// senders knows who may post own formats. Tokens are kept and compared as
// hashes: equally long, so that no length leaks.
type senders struct {
	ids    []string
	tokens [][sha256.Size]byte

	signers []sender // whose token is a Standard Webhooks secret
}

type sender struct {
	id       string
	verifier *verify.Verifier
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
			if bytes.HasPrefix(token, []byte(verify.Standard.KeyPrefix)) {
				v, err := verify.New(verify.Standard, token)
				if err != nil {
					return nil, fmt.Errorf("sender %s: token %s: %w", x.ID, ref, err)
				}
				s.signers = append(s.signers, sender{x.ID, v})
				continue // a secret that signs is never sent
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

// signs reports whether the request carries a signature instead of a token.
func (s *senders) signs(h http.Header) bool {
	return len(s.signers) > 0 && s.signers[0].verifier.Present(h)
}

// signer is whose secret signed the body. Every secret is tried.
func (s *senders) signer(r *http.Request, body []byte, now time.Time) (string, error) {
	req := verify.Request{Header: r.Header, Body: body}
	found, err := "", error(nil)
	for _, x := range s.signers {
		if e := x.verifier.Verify(&req, now); e == nil {
			found = x.id
		} else {
			err = e
		}
	}
	if found != "" {
		return found, nil
	}
	return "", err
}
