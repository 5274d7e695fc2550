package server

import (
	"time"

	"go.uber.org/zap"
)

// Config is what the parent tells the child.
type Config struct {
	Data           string            `json:"data"`
	Library        string            `json:"library"`
	Password       string            `json:"password,omitempty"`
	ReadOnly       bool              `json:"read_only,omitempty"`
	Hosts          []string          `json:"hosts,omitempty"` // Host names beside loopback and addresses
	MaxMemory      int64             `json:"max_memory"`
	MaxQueryMemory int64             `json:"max_query_memory"`
	MaxQueries     int               `json:"max_queries"`
	Settings       map[string]string `json:"settings,omitempty"`
	LockWait       time.Duration     `json:"lock_wait"`
	AliveToken     string            `json:"alive_token"`

	Logger *zap.Logger `json:"-"`
}

const (
	// maxQueryText bounds what is not an INSERT's data; the engine's max_query_size is far below.
	maxQueryText = 64 << 20
	// headSize is how much of a request is looked at to find where an INSERT's data begins.
	headSize = 256 << 10
	// ioTimeout is how long one read or write of a client may take, so that it cannot hold a slot for ever.
	ioTimeout = 5 * time.Minute
)
