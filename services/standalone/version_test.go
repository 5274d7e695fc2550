package standalone

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/loopback"
)

var writeVersion = flag.String("version.write", "", "keep data of this build as testdata/versions/NAME.tar.gz")

const acceptedFile = "accepted.json"

// Data that an earlier version left behind when it was killed, an INSERT on its
// way, is taken over by this one: every event that was answered 2xx then has
// its row and its delivery, once, and new ones join them.
func TestDataOfEarlierVersionsIsTakenOver(t *testing.T) {
	if *writeVersion != "" {
		keepVersion(t, *writeVersion)
	}
	files, err := filepath.Glob("testdata/versions/*.tar.gz")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".tar.gz"), func(t *testing.T) { takeOver(t, file) })
	}
}

func takeOver(t *testing.T, file string) {
	data := t.TempDir()
	unpack(t, file, data)
	p, l := versionRun(t, data)
	var ids []string
	raw, err := os.ReadFile(filepath.Join(data, acceptedFile))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &ids))
	require.NotEmpty(t, ids)
	for _, id := range ids {
		l.sent[id], l.accepted[id] = true, true
	}
	l.n = 500_000 // ids of this version's own
	defer p.kill()
	p.start("", "")
	l.traffic(time.Now().Add(time.Second))
	l.settle()
	require.Greater(t, len(l.accepted), len(ids))
	p.stop()
}

func versionRun(t *testing.T, data string) (*child, *load) {
	cfg := testConfig(t)
	for _, addr := range []*string{&cfg.Listen.Ingest, &cfg.Listen.Kafka, &cfg.Listen.ClickHouse, &cfg.Listen.Console} {
		*addr = loopback.Addr(t)
	}
	l := &load{
		rng: rand.New(rand.NewPCG(7, 7)), c: client{t, cfg.Listen.Ingest, cfg.Listen.ClickHouse}, //nolint:gosec // traffic, no secret
		sent: map[string]bool{}, accepted: map[string]bool{},
	}
	return &child{t: t, config: childConfig{Data: data, Config: cfg}}, l
}

// keepVersion lets this build work, kills it between an INSERT and its commit,
// and packs what it leaves.
func keepVersion(t *testing.T, name string) {
	data := t.TempDir()
	p, l := versionRun(t, data)
	p.start("sink_after_insert:6", "")
	for died := false; !died; {
		l.traffic(time.Now().Add(200 * time.Millisecond))
		select {
		case err := <-p.done:
			died = true
			p.done <- err
		default:
		}
	}
	p.kill()
	spoolSome(t, data, l)
	ids := make([]string, 0, len(l.accepted))
	for id := range l.accepted {
		ids = append(ids, id)
	}
	for _, b := range l.waiting { // may have been taken without an answer
		ids = append(ids, b["id"].(string))
	}
	raw, err := json.Marshal(ids)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(data, acceptedFile), raw, 0o600))
	pack(t, data, filepath.Join("testdata", "versions", name+".tar.gz"))
}

// spoolSome has events taken while the broker is away: they stay in the spool.
func spoolSome(t *testing.T, data string, l *load) {
	cfg := testConfig(t)
	broker, err := Start(t.Context(), Options{Config: cfg, Data: data, Roles: []Role{Kafka}})
	require.NoError(t, err)
	cfg.Listen.Kafka = broker.Addrs.Kafka
	door, err := Start(t.Context(), Options{Config: cfg, Data: data, Roles: []Role{Ingest}})
	require.NoError(t, err)
	require.NoError(t, broker.Stop())
	l.c.ingest = door.Addrs.Ingest
	before := len(l.accepted)
	for len(l.accepted) < before+100 {
		l.traffic(time.Now().Add(200 * time.Millisecond))
	}
	_ = door.Stop() // it says that the broker is away
	left, err := filepath.Glob(filepath.Join(data, "spool", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, left)
}

func pack(t *testing.T, dir, file string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
	f, err := os.Create(file)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	require.NoError(t, err)
	w := tar.NewWriter(z)
	require.NoError(t, w.AddFS(os.DirFS(dir)))
	require.NoError(t, errors.Join(w.Close(), z.Close()))
}

func unpack(t *testing.T, file, dir string) {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(dir, filepath.FromSlash(h.Name)) //nolint:gosec // our own archive
		switch {
		case h.FileInfo().IsDir():
			require.NoError(t, os.MkdirAll(path, 0o750))
		case h.Typeflag == tar.TypeSymlink:
			require.NoError(t, os.Symlink(h.Linkname, path))
		default:
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
			b, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, b, fs.FileMode(h.Mode)&fs.ModePerm)) //nolint:gosec // a file's mode
		}
	}
}
