package config

import "plumbline.dev/schemas/config"

// Systems are the names of systems that records live in.
var Systems = []string{
	"hubspot", "salesforce", "pipedrive", "dataverse", "zoho", "outreach", "salesloft", "close", "attio",
	"intercom", "zendesk", "postgres", "mysql", "clickhouse", "files", "warehouse", "other",
}

// Sources are the providers that a hook may belong to.
var Sources = []string{
	"hubspot", "salesforce", "pipedrive", "dataverse", "zoho", "outreach", "salesloft", "close", "attio",
	"intercom", "zendesk", "nango", "airbyte", "fivetran", "census", "hightouch", "merge", "statuspage",
	"standard", "cloudevents", "json",
}

// urlSigned are the sources whose signature covers the address they called.
var urlSigned = []string{"hubspot"}

var (
	mapped     = []string{"change", "attempt", "signal"}
	modes      = []string{config.Realtime, config.Batch}
	attempts   = []string{config.AttemptsFull, config.AttemptsErrors, config.AttemptsNone}
	priorities = []string{"P1", "P2"}
	observes   = []string{"hook", "poll", "stream"}
	flows      = []string{"client_credentials", "refresh_token", "jwt_bearer"}
	mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}
	schemes    = []string{"v1", "v2"}
	policies   = []string{"clear", "hash", "seal", "drop"}
	rules      = []string{"source_wins", "target_wins", "source_unless_blank", "target_unless_blank", "newest_wins"}
)
