package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"plumbline.dev/schemas/config"
	cfgload "plumbline.dev/services/internal/config"
)

// common are the flags every role shares.
type common struct {
	config string
	data   string
	debug  bool
}

func (c *common) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.config, "config", "", "config file (default plumbline.yaml, if there is one)")
	cmd.Flags().StringVar(&c.data, "data", "", "folder for everything stored (default from the config, else ./data)")
	cmd.Flags().BoolVar(&c.debug, "debug", false, "log more")
}

const defaultConfig = "plumbline.yaml"

// load reads the config. Without --config and without a file there, an empty
// one does: the console then shows what to set up.
func (c *common) load() (*config.Config, string, error) {
	path := c.config
	if path == "" {
		if _, err := os.Stat(defaultConfig); errors.Is(err, os.ErrNotExist) {
			return c.place(cfgload.Default(), ".")
		}
		path = defaultConfig
	}
	cfg, err := cfgload.Load(path)
	if err != nil {
		if _, ok := errors.AsType[*cfgload.Error](err); ok {
			return nil, "", err
		}
		return nil, "", errors.Join(errUsage, err)
	}
	return c.place(cfg, filepath.Dir(path))
}

func (c *common) place(cfg *config.Config, dir string) (*config.Config, string, error) {
	if c.data != "" {
		cfg.Data = c.data
	}
	return cfg, dir, nil
}

// logger writes JSON, or readable lines where a person watches.
func (c *common) logger() (*zap.Logger, error) {
	zc := zap.NewProductionConfig()
	zc.Sampling = nil
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		zc = zap.NewDevelopmentConfig()
		zc.EncoderConfig.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		zc.DisableStacktrace, zc.DisableCaller = true, true
	}
	zc.Level = zap.NewAtomicLevelAt(zap.InfoLevel)
	if c.debug {
		zc.Level.SetLevel(zap.DebugLevel)
	}
	log, err := zc.Build()
	if err != nil {
		return nil, fmt.Errorf("start logging: %w", err)
	}
	return log, nil
}

func isUsage(err error) bool {
	text := err.Error()
	return errors.Is(err, errUsage) || strings.HasPrefix(text, "unknown command") ||
		strings.HasPrefix(text, "unknown flag") || strings.Contains(text, "accepts ") ||
		strings.HasPrefix(text, "required flag")
}

// oneLine folds joined errors: an error is one line on stderr.
func oneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	kept := lines[:0]
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" && l != errUsage.Error() {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "; ")
}
