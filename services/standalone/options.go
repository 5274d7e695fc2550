package standalone

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/pace"
)

// Role is one part of the product that can run alone.
type Role string

// The roles, in the order data flows. Kafka and ClickHouse are the embedded
// pair; they only run where the configuration says embedded.
const (
	Kafka      Role = "kafka"
	ClickHouse Role = "clickhouse"
	Ingest     Role = "ingest"
	Process    Role = "process"
	Sink       Role = "sink"
	Reconcile  Role = "reconcile"
	Console    Role = "console"
	Notify     Role = "notify"
)

// AllRoles is what `plumbline up` runs.
var AllRoles = []Role{Kafka, ClickHouse, Ingest, Process, Sink, Reconcile, Console, Notify}

// ParseRoles reads a comma-separated list.
func ParseRoles(s string) ([]Role, error) {
	var out []Role
	for name := range strings.SplitSeq(s, ",") {
		r := Role(strings.TrimSpace(name))
		if !slices.Contains(AllRoles, r) {
			return nil, fmt.Errorf("there is no role %q; the roles are %v", name, AllRoles)
		}
		out = append(out, r)
	}
	return out, nil
}

// Options of one process.
type Options struct {
	Config    *config.Config
	ConfigDir string // where relative file: references start
	Data      string // folder of the embedded pair and the keys
	Roles     []Role
	Migrate   bool   // create topics and tables; otherwise only check them
	Instance  string // tells copies of a role apart; the same after a restart
	AdminAddr string // health and metrics of roles without a server
	Demo      *Demo
	Logger    *zap.Logger

	// Failpoint is called at the instructions where a crash hurts.
	Failpoint func(name string)

	CommitEvery time.Duration // of the process role, 0 = default
	MaxIDs      int           // event ids that a partition remembers, 0 = default
	SchemaEvery time.Duration // between looks at the schemas, 0 = default

	warehouse bool // talk SQL whatever the roles

	// Pace is the time of every role; nil: the wall's. The evaluation plays
	// hours in minutes by it.
	Pace pace.Clock
}

// stopEach is how long one part may take to stop.
const stopEach = 15 * time.Second

func (o *Options) has(r Role) bool { return slices.Contains(o.Roles, r) }
