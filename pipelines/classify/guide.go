package classify

import "plumbline.dev/schemas/event"

// guide is what people are told about a class when a rule says nothing finer.
type guide struct{ cause, step string }

var guides = map[string]guide{
	event.ClassAuth: {
		"an expired token, a revoked permission or a changed password",
		"reconnect OAuth, rotate the key, audit the scopes",
	},
	event.ClassSchema: {
		"a field was renamed, deleted or retyped, or a value does not fit it",
		"compare the field map with the current schema, then update the mapping",
	},
	event.ClassRateLimit: {
		"the volume of calls is over what the plan allows",
		"back off exponentially, batch the calls, upgrade the tier if the forecast says so",
	},
	event.ClassDuplicate: {
		"no deduplication key, or creates without idempotency",
		"use a unique key (e-mail, domain), set dedup rules, clean the records listed",
	},
	event.ClassVendorOutage: {
		"the vendor's service is disturbed",
		"hold, do not disconnect; resync the affected set afterwards",
	},
	event.ClassNetwork: {
		"the worker did not reach the vendor or lost the answer",
		"check egress, DNS and TLS from the worker; retry only idempotent writes",
	},
	event.ClassOther: {
		"no rule knows this answer well",
		"open the sample, add a rule; treat it as permanent after 3 tries",
	},
}

// undecided is the step while nothing proves whose fault an auth failure is.
const undecided = "cause undecided: do not disconnect; test our own read-only credential and the refresh first"
