package clickhouse

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoEngine says that the library is not there.
var ErrNoEngine = errors.New("the ClickHouse engine is not installed: run `make engine`")

// inCache is where scripts/engine.sh puts the library, below its cache folder.
var inCache = filepath.Join("node_modules", "@chdb", "lib-linux-x64-gnu", "libchdb.so")

// smallestLibrary is far below the real size and far above a cut-off or Git-LFS file.
const smallestLibrary = 100 << 20

// FindLibrary returns the engine's library: the given path, $PLUMBLINE_ENGINE, $PLUMBLINE_CACHE, or
// .cache/engine in a folder above the binary or the working directory.
func FindLibrary(path string) (string, error) {
	if path == "" {
		path = os.Getenv("PLUMBLINE_ENGINE")
	}
	if path != "" {
		return checkLibrary(path)
	}
	var places []string
	if cache := os.Getenv("PLUMBLINE_CACHE"); cache != "" {
		places = append(places, filepath.Join(cache, inCache))
	}
	if exe, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(exe), "libchdb.so"))
		places = append(places, above(filepath.Dir(exe))...)
	}
	if wd, err := os.Getwd(); err == nil {
		places = append(places, above(wd)...)
	}
	for _, p := range places {
		if lib, err := checkLibrary(p); err == nil {
			return lib, nil
		}
	}
	return "", ErrNoEngine
}

func above(dir string) (places []string) {
	for {
		places = append(places, filepath.Join(dir, ".cache", "engine", inCache))
		parent := filepath.Dir(dir)
		if parent == dir {
			return places
		}
		dir = parent
	}
}

func checkLibrary(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() < smallestLibrary {
		return "", fmt.Errorf("%w (%s is not it)", ErrNoEngine, path)
	}
	return filepath.Abs(path)
}

// machineMemory is what the machine or the container has.
func machineMemory() int64 {
	total := int64(4 << 30)
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			var kb int64
			if n, _ := fmt.Sscanf(s.Text(), "MemTotal: %d kB", &kb); n == 1 {
				total = kb << 10
				break
			}
		}
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		var limit int64
		if n, _ := fmt.Sscan(strings.TrimSpace(string(b)), &limit); n == 1 && limit > 0 {
			total = min(total, limit)
		}
	}
	return total
}
