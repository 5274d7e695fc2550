package config

// Agent is what one AI agent or automation may do. An agent that is not
// configured is held to the defaults.
type Agent struct {
	ID     string      `yaml:"id"` // as the systems name it; a * at the end stands for the rest
	Name   string      `yaml:"name"`
	Owner  string      `yaml:"owner"`
	Limits AgentLimits `yaml:"limits"`
}

// AgentLimits trip an agent. Zero means the default, below zero never.
type AgentLimits struct {
	Run            int64    `yaml:"run"`             // writes in one run, 5,000
	Hour           int64    `yaml:"hour"`            // writes in an hour, 10,000
	Day            int64    `yaml:"day"`             // writes in 24 hours, 50,000
	Burst          int64    `yaml:"burst"`           // writes in a minute, 300, or ten times its usual busiest minute
	Deletes        int64    `yaml:"deletes"`         // in an hour, 25
	Creates        int64    `yaml:"creates"`         // in 10 minutes, by one that mostly updated before, 100
	Repeats        int64    `yaml:"repeats"`         // in 10 minutes, to records it had just written, 150
	OneValue       int64    `yaml:"one_value"`       // writes of one field within about an hour, nine in ten alike, 150
	Overwrites     int64    `yaml:"overwrites"`      // of people's values in 24 hours, with the share, 50
	OverwriteShare float64  `yaml:"overwrite_share"` // of its field writes, 0.3
	FailureShare   float64  `yaml:"failure_share"`   // of its attempts in 10 minutes, at least 30, 0.5
	Fields         []string `yaml:"fields"`          // the only ones it may write; empty = any
}

// WithDefaults fills in what is not set.
func (l AgentLimits) WithDefaults() AgentLimits {
	for _, d := range []struct {
		field *int64
		value int64
	}{
		{&l.Run, 5_000},
		{&l.Hour, 10_000},
		{&l.Day, 50_000},
		{&l.Burst, 300},
		{&l.Deletes, 25},
		{&l.Creates, 100},
		{&l.Repeats, 150},
		{&l.OneValue, 150},
		{&l.Overwrites, 50},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if l.OverwriteShare == 0 {
		l.OverwriteShare = 0.3
	}
	if l.FailureShare == 0 {
		l.FailureShare = 0.5
	}
	return l
}
