//go:build unix

package kafka

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"
)

// lockName is ours; kfake does not guard its folder.
const lockName = "plumbline.lock"

// openDir makes the folder, locks it and mends what a crash may have left.
func openDir(dir string, log *zap.Logger) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("embedded kafka: data directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	if err := checkDir(dir, log); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lockDir holds the folder for this process. The kernel lets go of the lock
// when the process dies, so a crash leaves nothing to clean up.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("embedded kafka: data directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errors.New("another process is using it")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embedded kafka: data directory %s: %w", dir, err), f.Close())
	}
	return f, nil
}

// checkDir refuses a folder that has records and no meta.json: kfake would
// take it for a new one and start every topic from offset 0.
func checkDir(dir string, log *zap.Logger) error {
	_, metaErr := os.Stat(filepath.Join(dir, "meta.json"))
	parts, _ := os.ReadDir(filepath.Join(dir, "partitions"))
	if errors.Is(metaErr, os.ErrNotExist) && len(parts) > 0 {
		return fmt.Errorf("embedded kafka: data directory %s is damaged: it has partitions but no meta.json", dir)
	}
	for _, name := range []string{"groups.log", "pids.log"} {
		cut, err := mendLog(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("embedded kafka: data directory %s: %w", dir, err)
		}
		if cut > 0 {
			log.Warn("cut a half-written entry", zap.String("file", name), zap.Int64("bytes", cut))
		}
	}
	return nil
}
