package revoke

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumbline.dev/services/internal/crm"
)

// Token is the credential to end.
type Token struct {
	System       string
	Base         string // https://api.hubapi.com, https://acme.my.salesforce.com
	Secret       string // the refresh or access token itself
	AllowPrivate bool
}

const timeout = 20 * time.Second

// Calls tells whether the vendor has a call that ends a credential.
func Calls(system string) bool { return system == "hubspot" || system == "salesforce" }

// Do ends the credential and says what that did and did not end.
func Do(ctx context.Context, t Token) (string, error) {
	base, err := crm.Base(t.Base, t.AllowPrivate)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(t.Secret) == "" {
		return "", fmt.Errorf("the credential itself is needed to end it: give --secret env:NAME or file:PATH")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, said, err := request(ctx, base, t)
	if err != nil {
		return "", err
	}
	client := &http.Client{
		Transport:     crm.Transport(t.AllowPrivate),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // never carry it elsewhere
	}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("%s did not answer; whether the credential still works is not known: %w", t.System, hide(err))
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 2<<10))
	if resp.StatusCode/100 != 2 {
		return "", fmt.Errorf("%s refused with %d: %s", t.System, resp.StatusCode, strings.ReplaceAll(strings.TrimSpace(string(answer)), t.Secret, "***"))
	}
	return said, nil
}

// request is the vendor's revocation call.
// HubSpot: developers.hubspot.com, OAuth tokens, delete a refresh token.
// Salesforce: help.salesforce.com, revoke OAuth tokens programmatically.
func request(ctx context.Context, base *url.URL, t Token) (*http.Request, string, error) {
	switch t.System {
	case "hubspot":
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, base.String()+"/oauth/v1/refresh-tokens/"+url.PathEscape(t.Secret), nil)
		return req, "the refresh token is gone; access tokens made from it work for up to 30 minutes more, and the app stays installed", err
	case "salesforce":
		form := url.Values{"token": {t.Secret}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.String()+"/services/oauth2/revoke", strings.NewReader(form.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, "the token is gone; a refresh token takes its access tokens with it", err
	}
	return nil, "", fmt.Errorf("%s has no call that ends a credential; %s", t.System, strings.Join(Steps(t.System, ""), "; "))
}

// hide keeps the address, which may hold the token, out of the error.
func hide(err error) error {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // http.Client returns this very type
		return e.Err
	}
	return err
}

// Steps are what a person does where no call exists, or no secret is at hand.
func Steps(system, token string) []string {
	name := token
	if name == "" {
		name = "the credential"
	}
	switch system {
	case "hubspot":
		return []string{
			"in HubSpot open Settings, Integrations, Private apps (or Connected apps)",
			"open " + name + ", rotate or delete its token (Connected apps: Uninstall)",
			"put the new token where the integration reads it, then run plumbline token show " + token,
		}
	case "salesforce":
		return []string{
			"in Salesforce Setup open Connected Apps OAuth Usage",
			"at " + name + " press Revoke for the user it runs as, or Block the app",
			"freeze the integration user if it may have been signed in elsewhere",
			"authorize the integration anew and run plumbline token show " + token,
		}
	}
	return []string{"end " + name + " in the administration of " + system, "authorize the integration anew"}
}
