package login

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Role is what a person may do.
type Role string

// Each role may do what the one before may.
const (
	Viewer   Role = "viewer"   // look
	Operator Role = "operator" // acknowledge, silence, waive, resolve, tick, accept
	Admin    Role = "admin"    // read and replay dead letters, let an agent go on
)

// Roles from the least to the most.
var Roles = []Role{Viewer, Operator, Admin}

// Person is who asks.
type Person struct {
	Name    string
	Role    Role
	Tenants []string // whose rows they see; nil = all
	Free    bool     // nobody has to log in here
}

// May reports whether the person's role is enough.
func (p Person) May(r Role) bool { return slices.Index(Roles, p.Role) >= slices.Index(Roles, r) }

// Sees reports whether rows of a tenant are for the person.
func (p Person) Sees(tenant string) bool {
	return p.Tenants == nil || slices.Contains(p.Tenants, tenant)
}

// Known is a configured person with the token that proves it. One without a
// token can only come through the proxy.
type Known struct {
	Person
	Token string
}

// Proxy names people in a header, from addresses that nobody else has.
type Proxy struct {
	Header string
	From   []netip.Prefix
}

const shortest = 16 // of a token

func check(people []Known, proxy *Proxy) error {
	names, tokens := map[string]bool{}, map[string]bool{}
	for _, k := range people {
		switch {
		case k.Name == "":
			return errors.New("console.people: each needs a name")
		case names[k.Name]:
			return fmt.Errorf("console.people: %s is there twice", k.Name)
		case !slices.Contains(Roles, k.Role):
			return fmt.Errorf("console.people: %s: role is %q; choose viewer, operator or admin", k.Name, k.Role)
		case k.Token == "" && proxy == nil:
			return fmt.Errorf("console.people: %s needs a token: as env:NAME or file:PATH", k.Name)
		case k.Token != "" && len(k.Token) < shortest:
			return fmt.Errorf("console.people: the token of %s is shorter than %d characters: make one with openssl rand -hex 24", k.Name, shortest)
		case k.Token != "" && tokens[k.Token]:
			return fmt.Errorf("console.people: %s has somebody else's token", k.Name)
		}
		names[k.Name], tokens[k.Token] = true, true
	}
	if proxy != nil && (proxy.Header == "" || len(proxy.From) == 0) {
		return errors.New("console.proxy: needs header, and from: the addresses the proxy calls from")
	}
	return nil
}
