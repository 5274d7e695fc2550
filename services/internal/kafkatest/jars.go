package kafkatest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var versionTag = regexp.MustCompile(`<kafka\.version>(.+)</kafka\.version>`)

// jars is the folder scripts/kafka.sh installed.
func jars(t testing.TB) string {
	t.Helper()
	root := repoRoot(t)
	pom, err := os.ReadFile(filepath.Join(root, "deploy", "kafka", "pom.xml"))
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	version := versionTag.FindSubmatch(pom)
	if version == nil {
		t.Fatal("kafkatest: deploy/kafka/pom.xml names no kafka.version")
	}
	cache := os.Getenv("PLUMBLINE_CACHE")
	if cache == "" {
		cache = filepath.Join(root, ".cache")
	}
	dir := filepath.Join(cache, "kafka", string(version[1]))
	if _, err := os.Stat(dir); err != nil {
		t.Fatal("kafkatest: the real Kafka broker is not installed: run `make kafka`")
	}
	return dir
}

// repoRoot is the folder above the test's that holds go.work.
func repoRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("kafkatest: not inside the repository: no go.work above")
		}
		dir = up
	}
}
