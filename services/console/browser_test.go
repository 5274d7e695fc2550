package console_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var (
	shots = flag.String("shots", "", "folder to put a picture of every page into")
	axe   = flag.String("axe", "", "axe.min.js, to hold every page against its rules")
)

// chromium is a real browser; without one these tests cannot say anything.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROME"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("there is no Chromium here: install it, or set CHROME to one")
	return ""
}

// window is one tab, and what went wrong in it.
type window struct {
	t   testing.TB
	ctx context.Context

	mu    sync.Mutex
	wrong []string
	asked []string
}

func open(t testing.TB, width, height int64) *window {
	t.Helper()
	ctx, stop := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WSURLReadTimeout(time.Minute), chromedp.UserDataDir(t.TempDir()))...))
	w := &window{t: t, ctx: ctx}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser, whose folder is removed next
		stop()
	})
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height))) // starts it: no time limit of its own
	require.NoError(t, chromedp.Listen(ctx, w.listen))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, cdplog.Enable, chromedp.Void{})
	require.NoError(t, err)
	return w
}

// prefer sets what the person's system prefers: light or dark.
func (w *window) prefer(scheme string) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(w.t, err)
}

func (w *window) listen(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		w.wrong = append(w.wrong, e.ExceptionDetails.Text)
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			w.wrong = append(w.wrong, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		w.asked = append(w.asked, e.Request.URL)
	}
}

func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	require.NoError(w.t, chromedp.Do(ctx, actions...))
}

func value[T any](w *window, a chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	require.NoError(w.t, err)
	return v
}

func (w *window) goTo(url string) {
	w.t.Helper()
	w.do(chromedp.Navigate(url), chromedp.WaitReady("#live"))
}

// until waits for the page to say so by itself.
func (w *window) until(selector, want string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		got, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`(document.querySelector(`+quote(selector)+`)||{}).innerText||""`))
		return err == nil && strings.Contains(strings.Join(strings.Fields(got), " "), want)
	}, time.Minute, 100*time.Millisecond, "%s never said %q", selector, want)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }

// fine fails on any error in the browser's console, blocked by policy or not,
// and on any request to another host.
func (w *window) fine(base string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(w.t, w.wrong)
	for _, url := range w.asked {
		require.True(w.t, strings.HasPrefix(url, base) || strings.HasPrefix(url, "data:") || url == "about:blank", "asked for %s", url)
	}
}

// In a real browser every page loads without an error, without a request to
// anywhere else, becomes live by its stream, and is not wider than the screen.
func TestBrowserWalksEveryPage(t *testing.T) {
	chromium(t)
	w := rich(t)
	base := w.startRich()
	b := open(t, 390, 844)
	for _, path := range everyPage {
		b.goTo(base + path)
		wide := value(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth - innerWidth"))
		require.LessOrEqual(t, wide, 0, "%s is wider than a phone", path)
		if !strings.HasPrefix(path, "/try") && !strings.HasPrefix(path, "/letter?") && path != "/surface" {
			b.until("#fresh-words", "Live")
		}
	}
	b.fine(base)
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
		b := open(t, look.width, look.height)
		b.prefer(look.scheme)
		for _, path := range everyPage {
			b.goTo(base + path)
			b.do(chromedp.Sleep(150 * time.Millisecond))
			small, err := compact(value(b, chromedp.FullScreenshot(100)))
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
		b := open(t, 1280, 800)
		b.prefer(scheme)
		for _, path := range everyPage {
			b.goTo(base + path)
			b.do(chromedp.Evaluate[chromedp.Void](string(rules) + ";0"))
			found := value(b, chromedp.Evaluate[[]string](`axe.run({resultTypes:["violations"]}).then(r => r.violations
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
