package config

import "strings"

// Modes and who reports attempts.
const (
	Realtime = "realtime"
	Batch    = "batch"

	AttemptsFull   = "full"
	AttemptsErrors = "errors_only"
	AttemptsNone   = "none"
)

// Integration is one configured sync between a source and a target.
type Integration struct {
	ID            string             `yaml:"id"`
	Tenant        string             `yaml:"tenant"`
	Owner         string             `yaml:"owner"`
	Priority      string             `yaml:"priority"` // P1 or P2
	Mode          string             `yaml:"mode"`     // realtime or batch
	Schedule      string             `yaml:"schedule"`
	Attempts      string             `yaml:"attempts"` // full, errors_only, none
	Bidirectional bool               `yaml:"bidirectional"`
	Source        Endpoint           `yaml:"source"`
	Target        Endpoint           `yaml:"target"`
	Objects       []Object           `yaml:"objects"`
	Deadline      Duration           `yaml:"deadline"` // after which an undelivered change is stalled
	Thresholds    map[string]float64 `yaml:"thresholds"`
	Runbook       string             `yaml:"runbook"`
}

// Endpoint is one side of an integration.
type Endpoint struct {
	System     string `yaml:"system"`
	Connection string `yaml:"connection"`
	Hook       string `yaml:"hook"`
	Account    string `yaml:"account"`
	SyncUser   string `yaml:"sync_user"` // whose writes are the sync's own echoes
	// Canary is watched, and never written by Plumbline.
	Canary *Canary `yaml:"canary" json:",omitempty"`
}

// Canary is a record that somebody changes on a schedule: where nothing is heard of it, a source that should be quiet has stalled.
type Canary struct {
	Object string   `yaml:"object"` // as the system calls it
	Record string   `yaml:"record"` // its id
	Every  Duration `yaml:"every"`  // how often it changes, at least a minute; missed after twice that, from its first change on
}

// Object maps one kind of record.
type Object struct {
	Name     string       `yaml:"name"`
	Source   string       `yaml:"source"`
	Target   List[string] `yaml:"target"`
	Critical *bool        `yaml:"critical"`
	Excluded string       `yaml:"excluded"`
	Scope    *Scope       `yaml:"scope"`
	Key      List[Key]    `yaml:"key"`
	Fields   []FieldMap   `yaml:"fields"`
	Impact   *Impact      `yaml:"impact"`
	// CompareEvery is how often whole sets are compared; 0 = daily.
	CompareEvery Duration `yaml:"compare_every"`
}

// Scope limits which records are meant to be synced.
type Scope struct {
	Source string `yaml:"source"`
	Target string `yaml:"target"`
	Reason string `yaml:"reason"`
}

// Key is a pair of fields that identify the same record; the first that is
// set wins.
type Key struct {
	Source    string `yaml:"source"`
	Target    string `yaml:"target"`
	Normalize string `yaml:"normalize"`
}

// ByID reports whether one system's field is the other's id of the record.
func (k Key) ByID() bool { return IsID(k.Source) || IsID(k.Target) }

// IsID reports whether a key's field is the system's own id of the record.
func IsID(field string) bool {
	switch strings.ToLower(field) {
	case "id", "record_id", "hs_object_id":
		return true
	}
	return false
}

// FieldMap is one mapped field.
type FieldMap struct {
	Source  string            `yaml:"source"`
	Target  string            `yaml:"target"`
	Compare string            `yaml:"compare"`
	Map     map[string]string `yaml:"map"`
	Via     string            `yaml:"via"`
	Policy  string            `yaml:"policy"` // clear, hash, seal, drop
	Rule    string            `yaml:"rule"`
}

// Impact names the mapped field that says what a wrong record costs. Only what
// a reader saw counts as known.
type Impact struct {
	Field    string `yaml:"field"`
	When     string `yaml:"when"`     // open: only records whose stage is none of the closed ones; empty: all
	Stage    string `yaml:"stage"`    // mapped field with the stage; by default the one called dealstage, StageName, stage or status
	Currency string `yaml:"currency"` // a code for all records (USD), or the mapped field that holds it
}
