// Package resync plans how the records that differ are written again: in
// batches within the vendors' limits, with the calls and hours it costs and whom
// it would starve; and proves afterwards, on those records only, that they are
// equal. It reads ClickHouse and writes to no CRM: the sync's own worker does.
//
// Limits. HubSpot: 100 records a batch read or update (CRM API reference, "Batch
// read/update", limits of the objects API). Salesforce: 200 records a call of the
// sObject Collections resource, 2,000 ids a retrieve (REST API Developer Guide,
// "Composite: sObject Collections").
package resync
