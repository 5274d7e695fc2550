package config

import (
	"slices"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/topic"
)

// Defaults of design §4.
const (
	defaultData    = "data"
	defaultTenant  = "default"
	defaultHashKey = "file:hash.key"
	// pollShare is the part of a vendor's call budget that reading may use.
	pollShare        = 0.05
	pageEvery        = time.Minute
	defaultSpool     = 1024 // MiB
	realtimeDeadline = 5 * time.Minute
	batchDeadline    = time.Hour
)

func fillDefaults(c *config.Config) {
	set(&c.Listen.Ingest, "127.0.0.1:8081")
	set(&c.Listen.Console, "127.0.0.1:8080")
	set(&c.Listen.ClickHouse, "127.0.0.1:8123")
	set(&c.Listen.Kafka, "127.0.0.1:9092")
	set(&c.Data, defaultData)
	set(&c.ClickHouse.DSN, config.Embedded)
	set(&c.Privacy.HashKey, defaultHashKey)
	fillKafka(&c.Kafka)
	for i := range c.Connections {
		fillConnection(&c.Connections[i])
	}
	for i := range c.StatusPages {
		if c.StatusPages[i].Every == 0 {
			c.StatusPages[i].Every = config.Duration(pageEvery)
		}
	}
	if c.Spool.MaxMiB == 0 {
		c.Spool.MaxMiB = defaultSpool
	}
	for i := range c.Integrations {
		fillIntegration(&c.Integrations[i], c)
	}
}

func fillKafka(k *config.Kafka) {
	if len(k.Brokers) == 0 {
		k.Brokers = config.List[string]{config.Embedded}
	}
	if k.Partitions == 0 {
		k.Partitions = topic.PartitionsReal
		if k.IsEmbedded() {
			k.Partitions = topic.PartitionsEmbedded
		}
	}
}

func fillConnection(c *config.Connection) {
	if len(c.Observe) == 0 {
		c.Observe = []string{"poll"}
	}
	if c.CallShare == 0 {
		c.CallShare = pollShare
	}
	if slices.Contains(c.Observe, "stream") {
		set(&c.Channel, "/data/ChangeEvents")
		set(&c.StreamURL, "https://api.pubsub.salesforce.com:7443")
	}
}

func fillIntegration(in *config.Integration, c *config.Config) {
	set(&in.Tenant, defaultTenant)
	set(&in.Priority, "P2")
	set(&in.Mode, config.Realtime)
	set(&in.Attempts, config.AttemptsNone)
	if in.Deadline == 0 {
		in.Deadline = config.Duration(realtimeDeadline)
		if in.Mode == config.Batch {
			in.Deadline = config.Duration(batchDeadline)
		}
	}
	fillAccount(&in.Source, c)
	fillAccount(&in.Target, c)
	for i := range in.Objects {
		fillObject(&in.Objects[i])
	}
}

// fillAccount takes the account from the connection: writing it twice only
// invites two different ones.
func fillAccount(e *config.Endpoint, c *config.Config) {
	for i := range c.Connections {
		if c.Connections[i].ID == e.Connection && e.Connection != "" {
			set(&e.Account, c.Connections[i].Account)
		}
	}
}

func fillObject(o *config.Object) {
	set(&o.Source, o.Name)
	if len(o.Target) == 0 && o.Name != "" {
		o.Target = config.List[string]{o.Name}
	}
}

func set[T ~string](field *T, v T) {
	if *field == "" {
		*field = v
	}
}
