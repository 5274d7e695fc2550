package config_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"plumbline.dev/schemas/config"
)

func TestListTakesOneOrMany(t *testing.T) {
	var got struct {
		One, Many, None config.List[string]
		Keys, Key       config.List[config.Key]
	}
	require.NoError(t, yaml.Unmarshal([]byte(`
one: Lead
many: [Lead, Contact]
key: { source: email, target: Email, normalize: email }
keys: [ { source: a, target: A }, { source: b, target: B } ]
`), &got))
	require.Equal(t, config.List[string]{"Lead"}, got.One)
	require.Equal(t, config.List[string]{"Lead", "Contact"}, got.Many)
	require.Empty(t, got.None)
	require.Equal(t, config.List[config.Key]{{Source: "email", Target: "Email", Normalize: "email"}}, got.Key)
	require.Len(t, got.Keys, 2)
	require.Error(t, yaml.Unmarshal([]byte(`one: { a: b }`), &got))
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "15m": 15 * time.Minute, "2h": 2 * time.Hour, "0s": 0} {
		var got config.Duration
		require.NoError(t, yaml.Unmarshal([]byte(text), &got))
		require.Equal(t, config.Duration(want), got)
	}
	for _, text := range []string{"15", "-1s", "soon", "[1s]"} {
		var got config.Duration
		require.Error(t, yaml.Unmarshal([]byte(text), &got), text)
	}
}

func TestEmbeddedIsTheDefault(t *testing.T) {
	for yes, brokers := range map[bool]config.List[string]{true: {"embedded"}, false: {"kafka:9092"}} {
		require.Equal(t, yes, config.Kafka{Brokers: brokers}.IsEmbedded())
	}
	require.True(t, config.Kafka{}.IsEmbedded())
	require.False(t, config.Kafka{Brokers: config.List[string]{"embedded", "kafka:9092"}}.IsEmbedded())
	require.True(t, config.ClickHouse{}.IsEmbedded())
	require.True(t, config.ClickHouse{DSN: "embedded"}.IsEmbedded())
	require.False(t, config.ClickHouse{DSN: "clickhouse://host:9000/plumbline"}.IsEmbedded())
}

func TestHashFollowsWhatOperatorsDependOn(t *testing.T) {
	make := func() []config.Integration {
		return []config.Integration{{
			ID: "hs-sf", Thresholds: map[string]float64{"b": 2, "a": 1, "c": 3},
			Objects: []config.Object{{Name: "contact", Fields: []config.FieldMap{{Source: "phone", Target: "Phone"}}}},
		}}
	}
	first := config.Hash(make())
	require.Len(t, first, 16)
	for range 20 {
		require.Equal(t, first, config.Hash(make()), "map order must not show")
	}
	changed := make()
	changed[0].Objects[0].Fields[0].Compare = "phone"
	require.NotEqual(t, first, config.Hash(changed))
	changed = make()
	changed[0].Deadline = config.Duration(time.Minute)
	require.NotEqual(t, first, config.Hash(changed))
}

// A secret in an integration would be hashed and travel with every record.
func TestIntegrationsHoldNoSecret(t *testing.T) {
	requireNoSecret(t, reflect.TypeFor[config.Integration](), "integration")
}

func requireNoSecret(t *testing.T, typ reflect.Type, path string) {
	t.Helper()
	require.NotEqual(t, reflect.TypeFor[config.Secret](), typ, path)
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		requireNoSecret(t, typ.Elem(), path)
	case reflect.Struct:
		for f := range typ.Fields() {
			requireNoSecret(t, f.Type, path+"."+f.Name)
		}
	}
}

// Names in the file are contracts: every field has one, in lower case.
func TestEveryFieldHasAName(t *testing.T) {
	requireNames(t, reflect.TypeFor[config.Config]())
}

func requireNames(t *testing.T, typ reflect.Type) {
	t.Helper()
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		requireNames(t, typ.Elem())
	case reflect.Struct:
		for f := range typ.Fields() {
			require.Regexp(t, `^[a-z_]+$`, f.Tag.Get("yaml"), "%s.%s", typ.Name(), f.Name)
			requireNames(t, f.Type)
		}
	}
}
