package login

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Form guards what is clicked: only a form that this console made, for this
// person, is taken.
type Form struct {
	gate  *Gate
	cross *http.CrossOriginProtection
	boot  string // makes forms of an open gate nobody can guess
}

// NewForm makes the guard of a gate.
func NewForm(g *Gate) *Form {
	return &Form{gate: g, cross: http.NewCrossOriginProtection(), boot: rand.Text()}
}

// Token goes into each form as a hidden field.
func (f *Form) Token(p Person) string {
	hour := strconv.FormatInt(f.gate.now().Unix()/3600, 10)
	return hour + "." + f.proof(hour, p)
}

func (f *Form) proof(hour string, p Person) string { return f.gate.sign("form", f.boot, hour, p.Name) }

var (
	errForeign = errors.New("this click came from another page")
	errOld     = errors.New("this page is too old: reload it and click again")
)

// Check says why a click is refused, nil if it is not. A bearer token needs no
// form: no browser adds one by itself.
func (f *Form) Check(r *http.Request, p Person) error {
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return nil
	}
	if f.cross.Check(r) != nil {
		return errForeign
	}
	hour, proof, _ := strings.Cut(r.PostFormValue("form"), ".")
	if !hmac.Equal([]byte(proof), []byte(f.proof(hour, p))) {
		return errOld
	}
	n, err := strconv.ParseInt(hour, 10, 64)
	if now := f.gate.now().Unix() / 3600; err != nil || n > now || n < now-12 {
		return errOld
	}
	return nil
}
