// Package pubsub reads Salesforce's change events by its Pub/Sub API: gRPC,
// Avro, pull with flow control. What it reads becomes the JSON that relays
// post to a hook, so one decoder knows all ways in, and a change has the same
// id by each.
//
// The place in the stream is marked when everything before it is durable. A
// reader that is killed repeats some events, which their ids tell, and skips
// none. Salesforce keeps events for 72 hours: longer than that away, and the
// part that is gone is told, with a demand to compare.
package pubsub
