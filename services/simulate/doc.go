// Package simulate runs a believable world beside Plumbline: people, AI
// agents, automations and imports change records in a fake HubSpot; a sync
// worker copies them to a fake Salesforce, sometimes badly; webhooks, attempts
// and the org's own events are posted to ingest as the vendors and the worker
// would. What really happened is written down as the truth.
//
// Everything is decided on one virtual timeline by one goroutine and dice made
// from a seed: same options, same truth bytes. Wall time only decides when
// things are sent, and what ingest answers decides nothing but repeats.
package simulate
