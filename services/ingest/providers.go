package ingest

import (
	"net/http"
	"time"

	"plumbline.dev/services/ingest/sources"
	"plumbline.dev/services/ingest/verify"
)

// checker says whether a request comes from who it should.
type checker interface {
	Verify(r *verify.Request, now time.Time) error
	Present(h http.Header) bool
}

// provider says in data how a source signs and who decodes it. Without a
// scheme it signs nothing, and repeats a secret.
type provider struct {
	current *verify.Scheme
	older   map[string]verify.Scheme // by the name in the hook's accept list
	secret  func(body []byte) string // a secret in the body
	decode  sources.Decoder
	soap    bool // answers are XML, and so may bodies be
	serves  bool // several systems: the hook has to name its own
}

var providers = map[string]provider{
	"hubspot": {
		current: &verify.HubSpotV3, decode: sources.HubSpot,
		older: map[string]verify.Scheme{"v1": verify.HubSpotV1, "v2": verify.HubSpotV2},
	},
	"salesforce": {decode: sources.Salesforce, soap: true},
	"pipedrive":  {decode: sources.Pipedrive},
	"dataverse":  {decode: sources.Dataverse},
	"zoho":       {decode: sources.Zoho, secret: sources.ZohoToken},
	"close":      {current: &verify.Close, decode: sources.Close},
	"attio":      {current: &verify.Attio, decode: sources.Attio},
	"intercom":   {current: &verify.Intercom, decode: sources.Intercom},
	"zendesk":    {current: &verify.Zendesk, decode: sources.Zendesk},
	"outreach":   {current: &verify.Outreach, decode: sources.Outreach},
	"salesloft":  {current: &verify.Salesloft, decode: sources.Salesloft},
	"nango":      {current: &verify.Nango, decode: sources.Nango},
	"fivetran":   {current: &verify.Fivetran, decode: sources.Fivetran},
	"merge":      {current: &verify.Merge, decode: sources.Merge},
	"airbyte":    {decode: sources.Airbyte},
	"census":     {decode: sources.Census},
	"hightouch":  {decode: sources.Hightouch},

	"statuspage":  {decode: sources.Statuspage, serves: true},
	"standard":    {current: &verify.Standard, decode: sources.JSON, serves: true},
	"cloudevents": {decode: sources.JSON, serves: true},
	"json":        {decode: sources.JSON, serves: true},
}
