package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
)

var update = flag.Bool("update", false, "rewrite the expected errors in testdata/bad")

func TestLoadGood(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			_, err := Load(f)
			require.NoError(t, err)
		})
	}
}

func TestDefaults(t *testing.T) {
	c, err := Load("testdata/good/minimal.yaml")
	require.NoError(t, err)
	require.Equal(t, config.Listen{
		Ingest: "127.0.0.1:8081", Console: "127.0.0.1:8080", ClickHouse: "127.0.0.1:8123", Kafka: "127.0.0.1:9092",
	}, c.Listen)
	require.True(t, c.Kafka.IsEmbedded())
	require.Equal(t, 4, c.Kafka.Partitions)
	require.True(t, c.ClickHouse.IsEmbedded())
	require.Equal(t, config.Secret("file:hash.key"), c.Privacy.HashKey)

	one, two := c.Integrations[0], c.Integrations[1]
	require.Equal(t, "default", one.Tenant)
	require.Equal(t, config.Realtime, one.Mode)
	require.Equal(t, config.AttemptsNone, one.Attempts)
	require.Equal(t, config.Duration(5*time.Minute), one.Deadline)
	require.Equal(t, config.List[string]{"contact"}, one.Objects[0].Target)
	require.Equal(t, "contact", one.Objects[0].Source)
	require.Equal(t, config.Duration(time.Hour), two.Deadline)
	require.Equal(t, "62515", two.Source.Account, "an account written as a number keeps its digits")
}

func TestFullFileIsRead(t *testing.T) {
	c, err := Load("testdata/good/full.yaml")
	require.NoError(t, err)
	in := c.Integrations[0]
	require.Equal(t, "005000000000001", in.Target.SyncUser, "leading zeros survive")
	require.Equal(t, config.List[string]{"Lead", "Contact"}, in.Objects[0].Target)
	require.Equal(t, "Customer", in.Objects[0].Fields[0].Map["customer"])
	require.Equal(t, "hash", in.Objects[0].Fields[2].Policy)
	require.Len(t, in.Objects[0].Key, 2)
	require.True(t, *in.Objects[0].Critical)
}

func TestRealBrokersHavePartitionsOfTheirOwn(t *testing.T) {
	c, err := Parse("c.yaml", []byte("kafka: { brokers: [a:9092, b:9092] }"))
	require.NoError(t, err)
	require.Equal(t, 64, c.Kafka.Partitions)
}

// Each bad file stands beside a .txt with every error it must give.
func TestLoadBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 18)
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			_, err := Load(f)
			require.Error(t, err)
			got := strings.Join(Lines(err), "\n") + "\n"
			golden := strings.TrimSuffix(f, ".yaml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err2 := os.ReadFile(golden)
			require.NoError(t, err2)
			require.Equal(t, string(want), got)
			require.NotContains(t, err.Error(), "\n", "the error is one line")
			require.NotContains(t, got, "hunter2")
			require.NotContains(t, got, "s3cr3t")
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load("testdata/none.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestSummaryHidesSecrets(t *testing.T) {
	c, err := Load("testdata/good/full.yaml")
	require.NoError(t, err)
	c.ClickHouse.DSN = "http://reader:hunter2@ch:8123/plumbline?password=hunter3"
	s := Summary(c)
	require.Contains(t, s, "http://reader@ch:8123/plumbline")
	require.Contains(t, s, "hook hubspot-main: hubspot, 1 secret")
	require.Contains(t, s, "integration hubspot-salesforce (tenant default, P1, realtime): hubspot -> salesforce, 1 object, attempts none")
	require.NotContains(t, s, "hunter")
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.yaml")
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? [x]\n: y"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse("fuzz.yaml", b)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v and error %v", c, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n") {
			t.Fatalf("error of several lines: %q", err)
		}
	})
}
