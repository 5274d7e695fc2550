// Package acklink makes and reads links by which somebody takes an alert from
// a message, without a login: what a link allows is signed, is one alert's one
// occurrence, and ends. A link alone does nothing: it opens a page with a
// button, as mail scanners follow links.
package acklink

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
)

const (
	// Path is the console's page that links open.
	Path = "/take"
	// MinKey is how long a key must be, in bytes.
	MinKey  = 16
	maxText = 2048
)

var (
	// ErrForged is a link that this key did not sign.
	ErrForged = errors.New("this link is not one of ours, or the key was changed: take the alert in the console")
	// ErrOver is a link whose time is over.
	ErrOver = errors.New("this link is too old: take the alert in the console, or use a newer message's link")
)

// Claim is what a link allows: to take this occurrence of one alert.
type Claim struct {
	Alert       string `json:"a"`
	Tenant      string `json:"t,omitempty"`
	Integration string `json:"i,omitempty"`
	Since       int64  `json:"s"` // of the occurrence, in ms: a later one has a link of its own
	Expires     int64  `json:"e"` // in seconds
}

// ID names the click of a person by this link: the same again is the same.
func (c *Claim) ID(by string) string {
	return event.Hash("taken by link", c.Alert, fmt.Sprint(c.Since), by)
}

// Key signs links.
type Key []byte

// NewKey checks that a key is long enough to be one.
func NewKey(secret []byte) (Key, error) {
	k := Key(strings.TrimSpace(string(secret)))
	if len(k) < MinKey {
		return nil, fmt.Errorf("it has %d bytes; expected %d or more, like those of: openssl rand -hex 32", len(k), MinKey)
	}
	return k, nil
}

// Link is the address of a claim's page. Base is the console's.
func (k Key) Link(base string, c Claim) string {
	body, _ := json.Marshal(c) // of texts and numbers: cannot fail
	text := base64.RawURLEncoding.EncodeToString(body)
	return strings.TrimSuffix(base, "/") + Path + "?" + url.Values{"link": {text + "." + k.sign(text)}}.Encode()
}

// Read is the claim of a link's token that is signed and still valid. The claim
// comes with ErrOver too: its page can say what it was about.
func (k Key) Read(token string, now time.Time) (Claim, error) {
	text, mac, _ := strings.Cut(token, ".")
	if len(token) > maxText || !hmac.Equal([]byte(mac), []byte(k.sign(text))) {
		return Claim{}, ErrForged
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Claim{}, ErrForged
	}
	var c Claim
	if err := json.Unmarshal(body, &c); err != nil {
		return Claim{}, ErrForged
	}
	if now.Unix() >= c.Expires {
		return c, ErrOver
	}
	return c, nil
}

func (k Key) sign(text string) string {
	h := hmac.New(sha256.New, k)
	h.Write([]byte("plumbline take 1\n" + text)) // the key may sign other things too
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
