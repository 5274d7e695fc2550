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

// cleanName is there while the folder is closed and whole.
const cleanName = "plumbline.clean"

// checkDir refuses a folder that has records and no meta.json: kfake would
// take it for a new one and start every topic from offset 0.
func checkDir(dir string, log *zap.Logger) error {
	_, metaErr := os.Stat(filepath.Join(dir, "meta.json"))
	if errors.Is(metaErr, os.ErrNotExist) {
		if parts, _ := os.ReadDir(filepath.Join(dir, "partitions")); len(parts) > 0 {
			return fmt.Errorf("embedded kafka: data directory %s is damaged: it has partitions but no meta.json", dir)
		}
		return nil
	}
	clean := filepath.Join(dir, cleanName)
	if _, err := os.Stat(clean); err != nil {
		if err := recoverDir(dir, log); err != nil {
			return err
		}
	}
	if err := holdWatermarks(dir); err != nil {
		return fmt.Errorf("embedded kafka: data directory %s: %w", dir, err)
	}
	if err := os.Remove(clean); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("embedded kafka: data directory: %w", err)
	}
	return nil
}

// topicOnDisk is an entry of kfake's topics.json.
type topicOnDisk struct {
	Name       string `json:"name"`
	ID         []byte `json:"id"`
	Partitions int32  `json:"partitions"`
}

func topicsOnDisk(dir string) ([]topicOnDisk, error) {
	var file struct {
		Topics []topicOnDisk `json:"topics"`
	}
	err := readJSON(filepath.Join(dir, "topics.json"), &file)
	return file.Topics, err
}
