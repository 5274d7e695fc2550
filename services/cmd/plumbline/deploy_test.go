package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/process"
	"plumbline.dev/services/sink"
)

const deploy = "../../../deploy"

// knownCommand fails where a deployment calls what the binary has not.
func knownCommand(t *testing.T, args []string) {
	t.Helper()
	cmd, rest, err := newRoot().Find(args)
	require.NoError(t, err, args)
	require.True(t, cmd.HasParent() && cmd.Runnable(), "%q is no command", args)
	require.NoError(t, cmd.ParseFlags(rest), args)
	require.Empty(t, cmd.Flags().Args(), args)
}

func texts(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, x := range list {
		out = append(out, fmt.Sprint(x))
	}
	return out
}

func names(v any) []string {
	if m, ok := v.(map[string]any); ok {
		var out []string
		for k := range m {
			out = append(out, k)
		}
		return out
	}
	return texts(v)
}

var envRef = regexp.MustCompile(`env:([A-Z0-9_]+)`)

func TestCompose(t *testing.T) {
	var c struct {
		Services map[string]map[string]any `yaml:"services"`
		Volumes  map[string]any            `yaml:"volumes"`
		Secrets  map[string]any            `yaml:"secrets"`
	}
	unmarshal(t, deploy+"/compose/compose.yaml", &c)
	raw, err := os.ReadFile(deploy + "/compose/plumbline.yaml")
	require.NoError(t, err)
	cfg, err := cfgload.Parse("plumbline.yaml", raw)
	require.NoError(t, err)

	roles := map[string]bool{}
	for name, s := range c.Services {
		for _, d := range names(s["depends_on"]) {
			require.Contains(t, c.Services, d, "%s depends on it", name)
		}
		for _, v := range texts(s["volumes"]) {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, "./") {
				require.FileExists(t, filepath.Join(deploy, "compose", from))
			} else {
				require.Contains(t, c.Volumes, from, name)
			}
		}
		for _, x := range texts(s["secrets"]) {
			require.Contains(t, c.Secrets, x)
		}
		require.NotContains(t, fmt.Sprint(s["image"]), "latest", "%s is pinned", name)
		if s["image"] != "plumbline:local" {
			continue
		}
		args := texts(s["command"])
		knownCommand(t, args)
		roles[args[0]] = true
		for _, m := range envRef.FindAllStringSubmatch(string(raw), -1) {
			require.Contains(t, s["environment"], m[1], "%s: the configuration names it", name)
		}
		require.Equal(t, true, s["read_only"])
	}
	for _, role := range []string{"ingest", "process", "sink", "reconcile", "notify", "console", "topics", "schema"} {
		require.True(t, roles[role], "%s does not run", role)
	}
	for _, b := range cfg.Kafka.Brokers {
		host, port, err := net.SplitHostPort(b)
		require.NoError(t, err)
		require.Contains(t, c.Services, host)
		require.Contains(t, fmt.Sprint(c.Services[host]["environment"]), host+":"+port, "it is advertised")
	}
	dsn, err := url.Parse(cfg.ClickHouse.DSN)
	require.NoError(t, err)
	require.Contains(t, c.Services, dsn.Hostname())
	cluster, err := os.ReadFile(deploy + "/compose/clickhouse/cluster.xml")
	require.NoError(t, err)
	require.Contains(t, string(cluster), "<"+cfg.ClickHouse.Cluster+">")
	for _, m := range regexp.MustCompile(`<host>([^<]+)</host>`).FindAllStringSubmatch(string(cluster), -1) {
		require.Contains(t, c.Services, m[1])
	}
	example, err := os.ReadFile(deploy + "/compose/.env.example")
	require.NoError(t, err)
	compose, err := os.ReadFile(deploy + "/compose/compose.yaml")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+):`).FindAllStringSubmatch(string(compose), -1) {
		require.Contains(t, string(example), m[1]+"=")
	}
}

// pods are the pod specs of a rendered chart by the name of what makes them.
func pods(docs []map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, d := range docs {
		spec, _ := d["spec"].(map[string]any)
		tmpl, ok := spec["template"].(map[string]any)
		if ok {
			out[d["metadata"].(map[string]any)["name"].(string)] = tmpl["spec"].(map[string]any)
		}
	}
	return out
}

func kinds(docs []map[string]any) map[string]int {
	out := map[string]int{}
	for _, d := range docs {
		out[d["kind"].(string)]++
	}
	return out
}

func TestHelmChart(t *testing.T) {
	docs := render(t, func(map[string]any) {})
	require.Equal(t, map[string]int{
		"ConfigMap": 1, "Job": 1, "StatefulSet": 6, "Service": 6, "PodDisruptionBudget": 2, "NetworkPolicy": 1,
	}, kinds(docs))
	var files map[string]any
	for _, d := range docs {
		if d["kind"] == "ConfigMap" {
			files = d["data"].(map[string]any)
		}
	}
	for name, text := range files {
		_, err := cfgload.Parse(name, []byte(text.(string)))
		require.NoError(t, err, "%s:\n%s", name, text)
	}
	for name, pod := range pods(docs) {
		require.Equal(t, true, pod["securityContext"].(map[string]any)["runAsNonRoot"], name)
		volumes := fmt.Sprint(pod["volumes"]) + "name:data"
		containers := append(slices.Clone(pod["containers"].([]any)), anyList(pod["initContainers"])...)
		for _, x := range containers {
			c := x.(map[string]any)
			args := texts(c["args"])
			knownCommand(t, args)
			config := args[slices.Index(args, "--config")+1]
			require.Contains(t, files, filepath.Base(config))
			require.Equal(t, true, c["securityContext"].(map[string]any)["readOnlyRootFilesystem"], name)
			require.NotEmpty(t, c["envFrom"], "secrets come by reference")
			for _, m := range anyList(c["volumeMounts"]) {
				require.Contains(t, volumes, "name:"+m.(map[string]any)["name"].(string))
			}
		}
		if strings.HasSuffix(name, "-migrate") {
			continue
		}
		c := containers[0].(map[string]any)
		for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
			require.NotEmpty(t, c[probe], "%s %s", name, probe)
		}
		port := fmt.Sprint(anyList(c["ports"])[0].(map[string]any)["containerPort"])
		args := strings.Join(texts(c["args"]), " ")
		require.True(t, strings.Contains(args, ":"+port) || strings.Contains(files["plumbline.yaml"].(string), ":"+port), "%s listens on %s", name, port)
	}
}

func anyList(v any) []any {
	l, _ := v.([]any)
	return l
}

// Scaling follows the groups that really read.
func TestHelmScalesOnLag(t *testing.T) {
	docs := render(t, func(v map[string]any) {
		v["autoscaling"].(map[string]any)["enabled"] = true
		v["ingress"].(map[string]any)["enabled"] = true
	})
	require.Equal(t, 2, kinds(docs)["ScaledObject"])
	require.Equal(t, 1, kinds(docs)["Ingress"])
	known := map[string]bool{}
	for _, s := range process.Stages(process.StageOptions{Integrations: []config.Integration{}}) {
		known["plumbline-"+s.Name] = true
	}
	known[sink.GroupName("plumbline-sink", "plumbline.facts")] = true
	found := 0
	for _, m := range regexp.MustCompile(`consumerGroup:(\S+?) `).FindAllStringSubmatch(fmt.Sprint(docs), -1) {
		require.True(t, known[m[1]], "nobody reads as group %s", m[1])
		found++
	}
	require.Equal(t, 3, found)
}

func TestDockerfile(t *testing.T) {
	b, err := os.ReadFile(deploy + "/Dockerfile")
	require.NoError(t, err)
	stages := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "FROM":
			require.True(t, stages[words[1]] || strings.Contains(words[1], ":"), "%s is pinned or a stage", words[1])
			stages[words[3]] = true
		case words[0] == "COPY" && strings.HasPrefix(words[1], "--from="):
			require.True(t, stages[strings.TrimPrefix(words[1], "--from=")], line)
		case words[0] == "COPY":
			for _, src := range words[1 : len(words)-1] {
				_, err := os.Stat(filepath.Join("../../..", src))
				require.NoError(t, err, line)
			}
		case words[0] == "CMD":
			require.Equal(t, `CMD ["up", "--data", "/var/lib/plumbline"]`, strings.TrimSpace(line))
			knownCommand(t, []string{"up", "--data", "/var/lib/plumbline"})
		}
	}
	toolchain, err := os.ReadFile("../../../scripts/toolchain.sh")
	require.NoError(t, err)
	version := regexp.MustCompile(`release_toolchain=go(\d+\.\d+\.\d+)`).FindStringSubmatch(string(toolchain))[1]
	require.Contains(t, string(b), "golang:"+version+"-", "images and archives are built alike")
	require.Contains(t, string(b), "USER 10001")
}

func TestSystemdUnits(t *testing.T) {
	for unit, instance := range map[string]string{"plumbline.service": "", "plumbline@.service": "ingest"} {
		b, err := os.ReadFile(filepath.Join(deploy, "systemd", unit))
		require.NoError(t, err)
		start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/plumbline (.*)$`).FindStringSubmatch(string(b))
		require.NotNil(t, start, unit)
		knownCommand(t, strings.Fields(strings.ReplaceAll(start[1], "%i", instance)))
		for _, line := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "User=plumbline"} {
			require.Contains(t, string(b), line, unit)
		}
		analyze, err := exec.LookPath("systemd-analyze")
		if err != nil {
			continue // the unit was read above; systemd's own opinion needs systemd
		}
		dir := t.TempDir()
		// Its opinion of everything but the binary, which is not installed here.
		text := strings.Replace(string(b), "/usr/local/bin/plumbline", "/bin/true", 1)
		require.NoError(t, os.WriteFile(filepath.Join(dir, unit), []byte(text), 0o600))
		out, err := exec.Command(analyze, "verify", "--man=no", filepath.Join(dir, unit)).CombinedOutput() //nolint:gosec // found in PATH
		require.NotContains(t, string(out), unit+":", "%s", out)
		if err != nil {
			t.Logf("systemd-analyze: %v: %s", err, out)
		}
	}
}
