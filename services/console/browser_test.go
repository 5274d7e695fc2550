package console_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/browsertest"
)

var (
	shots = flag.String("shots", "", "folder to put a picture of every page into")
	axe   = flag.String("axe", "", "axe.min.js, to hold every page against its rules")
)

// In a real browser every page loads without an error, without a request to
// anywhere else, becomes live by its stream, and is not wider than the screen.
func TestBrowserWalksEveryPage(t *testing.T) {
	browsertest.Need(t)
	w := rich(t)
	base := w.startRich()
	b := browsertest.Open(t, 390, 844)
	for _, path := range everyPage {
		b.Go(base+path, "#live")
		wide := browsertest.Value(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth - innerWidth"))
		require.LessOrEqual(t, wide, 0, "%s is wider than a phone", path)
		if !strings.HasPrefix(path, "/try") && !strings.HasPrefix(path, "/letter?") && path != "/surface" && path != "/checklists" {
			b.Until("#fresh-words", "Live")
		}
	}
	b.Fine(base)
}

// TestPictures puts every page in light, dark and phone width into a folder,
// for people to look at.
func TestPictures(t *testing.T) {
	if *shots == "" {
		t.Skip("pictures are for people: make stories asks for them with -shots")
	}
	w := rich(t)
	base := w.startRich()
	for _, look := range []struct {
		name, scheme  string
		width, height int64
	}{{"light", "light", 1280, 800}, {"dark", "dark", 1280, 800}, {"phone", "light", 390, 844}} {
		b := browsertest.Open(t, look.width, look.height)
		b.Prefer(look.scheme)
		for _, path := range everyPage {
			b.Go(base+path, "#live")
			b.Do(chromedp.Sleep(150 * time.Millisecond))
			small, err := compact(browsertest.Value(b, chromedp.FullScreenshot(100)))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(*shots, pictureName(path)+"-"+look.name+".png"), small, 0o600))
		}
	}
}

func pictureName(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if path == "/" {
		return "overview"
	}
	return strings.ReplaceAll(strings.Trim(path, "/"), "/", "-")
}

// Nothing that axe-core calls serious or critical is on any page, in light or
// dark.
func TestAxe(t *testing.T) {
	if *axe == "" {
		t.Skip("make stories installs axe-core and asks for this with -axe")
	}
	rules, err := os.ReadFile(*axe)
	require.NoError(t, err)
	w := rich(t)
	base := w.startRich()
	var all []string
	for _, scheme := range []string{"light", "dark"} {
		b := browsertest.Open(t, 1280, 800)
		b.Prefer(scheme)
		for _, path := range everyPage {
			b.Go(base+path, "#live")
			b.Do(chromedp.Evaluate[chromedp.Void](string(rules) + ";0"))
			found := browsertest.Value(b, chromedp.Evaluate[[]string](`axe.run({resultTypes:["violations"]}).then(r => r.violations
				.filter(v => v.impact === "serious" || v.impact === "critical")
				.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message : "")).join(" | ")))`,
				chromedp.EvalAwaitPromise))
			for _, f := range found {
				all = append(all, path+" in "+scheme+": "+f)
			}
		}
	}
	require.Empty(t, all)
}
