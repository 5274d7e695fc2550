// Package revoke ends a credential at its vendor, after a person confirmed
// it, or tells the steps where no call exists. It is one of the few places
// where Plumbline changes something outside.
package revoke
