package connect

import (
	"errors"
	"fmt"
	"strings"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/crm"
)

// scopes are what a HubSpot private app needs to be read by Plumbline.
const scopes = "crm.objects.contacts.read, crm.objects.companies.read, crm.objects.deals.read, crm.objects.owners.read, crm.lists.read " +
	"and crm.schemas.contacts.read, crm.schemas.companies.read, crm.schemas.deals.read"

// advise turns a refusal into a sentence that says what to do.
func advise(err error, c *config.Connection) error {
	hubspot := c.System == "hubspot"
	var e *crm.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Kind == crm.KindAuth && hubspot:
		return fmt.Errorf("HubSpot refuses the token in %s (%w): in HubSpot, Settings > Integrations > Private Apps, create an app with the scopes %s, "+
			"and put its access token there", c.Token, err, scopes)
	case e.Kind == crm.KindAuth:
		return fmt.Errorf("the login of %s is refused by Salesforce (%w): in Setup, create a Connected App (or External Client App) with the scope api and the "+
			"client credentials flow, run as a user that may read, and put its key and secret there", credentials(c), err)
	case e.Kind == crm.KindScope && hubspot:
		return fmt.Errorf("the HubSpot token in %s lacks a permission (%w): add it to the private app, whose scopes should be %s", c.Token, err, scopes)
	case e.Kind == crm.KindScope:
		return fmt.Errorf("the Salesforce user of %s lacks a permission (%w): it needs \"API Enabled\" and \"View All\" on the objects to compare",
			credentials(c), err)
	case e.Kind == crm.KindNetwork:
		return fmt.Errorf("%s does not answer (%w): check the address %s and the way out of this network", e.System, err, address(c))
	case e.Kind == crm.KindBudget, e.Kind == crm.KindLimit:
		return fmt.Errorf("%w: try again later, or raise call_share", err)
	}
	return err
}

func credentials(c *config.Connection) string {
	if c.Auth != nil {
		return string(c.Auth.ClientID) + " and " + string(c.Auth.ClientSecret)
	}
	return string(c.Token)
}

func address(c *config.Connection) string {
	switch {
	case c.BaseURL != "":
		return c.BaseURL
	case c.Domain != "":
		return c.Domain
	}
	return "api.hubapi.com"
}

func title(system string) string {
	switch system {
	case "hubspot":
		return "HubSpot"
	case "salesforce":
		return "Salesforce"
	}
	return system
}

func joinOr(parts []string, none string) string {
	if len(parts) == 0 {
		return none
	}
	return strings.Join(parts, ", ")
}
