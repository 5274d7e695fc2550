// Package bus is the only code that speaks Kafka. It connects, creates the
// topics of schemas/topic, and turns records into events and back; the roles
// built on it never see the client library's types.
package bus
