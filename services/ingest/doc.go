// Package ingest is the door: it verifies, decodes and applies the field
// policy, and answers 2xx only when everything is durable.
//
//	POST /hooks/{hook}      providers' webhooks, by the hook's signature
//	POST /v1/{kind}         own formats, by a bearer token per sender
//	POST /v1/traces         OpenTelemetry's traces, by the same tokens
//	GET  /v1/sources        what each hook took and refused, and why
//	GET  /healthz /readyz /metrics
//
// A request is accepted or refused as a whole. What cannot be decoded in an
// accepted one is dead-lettered with its bytes; its neighbours go on.
package ingest
