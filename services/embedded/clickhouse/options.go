// Package clickhouse runs ClickHouse's engine behind ClickHouse's HTTP interface, as a child process.
//
// The engine is a native library that can crash or hang its process, so it gets one of its own: the same
// binary, started again. The parent keeps the listening socket, restarts the child when it dies or
// stops answering, and takes it along when it ends itself.
package clickhouse

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// Options configure Start. Data is required.
type Options struct {
	// Data is the engine's folder. It is created when it is missing, and held by one process at a time.
	Data string
	// Listen is host:port; default 127.0.0.1:0. Anything but loopback needs a Password.
	Listen string
	// LibPath is the engine's shared library; default: FindLibrary.
	LibPath string
	// Password of the one user, "default". Empty lets everybody in who reaches the port.
	Password string
	// ReadOnly refuses everything that writes.
	ReadOnly bool
	// Hosts are names beside localhost and addresses that clients may call the server by.
	Hosts []string
	// MaxMemory bounds all queries together, MaxQueryMemory each one, in bytes.
	// Defaults: a third of the machine's memory, at least 1 GiB; and half of that.
	MaxMemory, MaxQueryMemory int64
	// MaxQueries is how many run at once; more wait. Default 16.
	MaxQueries int
	// Settings are defaults for every query, by ClickHouse's names.
	Settings map[string]string
	// Heartbeat is how often the child must answer a query, Wedged after how long without an answer it
	// is killed and started again. Defaults 2 s and 30 s.
	Heartbeat, Wedged time.Duration
	// StartTimeout bounds one start of the child, a predecessor's lock on Data included. Default 60 s.
	StartTimeout time.Duration
	// Logger gets restarts and what the child prints. Default: none.
	Logger *zap.Logger

	command []string // tests start something else than this binary
}

func (o *Options) setDefaults() error {
	if o.Data == "" {
		return errors.New("the embedded ClickHouse needs a data folder")
	}
	var err error
	if o.Data, err = filepath.Abs(o.Data); err != nil {
		return err
	}
	if o.LibPath, err = FindLibrary(o.LibPath); err != nil {
		return err
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = max(machineMemory()/3, 1<<30)
	}
	setDefault(&o.MaxQueryMemory, o.MaxMemory/2)
	setDefault(&o.MaxQueries, 16)
	setDefault(&o.Heartbeat, 2*time.Second)
	setDefault(&o.Wedged, 30*time.Second)
	setDefault(&o.StartTimeout, time.Minute)
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.command == nil {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program to start the ClickHouse child: %w", err)
		}
		o.command = []string{self, childArg}
	}
	return o.checkListen()
}

// checkListen refuses to put an open database on the network.
func (o *Options) checkListen() error {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("listen.clickhouse: %w", err)
	}
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	if !loopback && o.Password == "" {
		return fmt.Errorf("listen.clickhouse is %s, which others can reach: set a password or listen on 127.0.0.1", o.Listen)
	}
	return nil
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}
