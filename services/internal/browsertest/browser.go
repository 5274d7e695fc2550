// Package browsertest walks pages in a real Chromium, for tests.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"strconv"
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

const (
	step     = 2 * time.Minute // what one action may take on a busy machine
	patience = 2 * time.Minute // how long a page may take to say something by itself: windows end with the last closed minute
)

// Need skips the test where there is no browser: it cannot say anything then.
func Need(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROME"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("there is no Chromium here: install it, or set CHROME to one")
	return ""
}

// Window is one tab, and what went wrong in it.
type Window struct {
	t   testing.TB
	ctx context.Context

	mu    sync.Mutex
	wrong []string
	asked []string
}

// Open starts a browser of its own; it ends with the test.
func Open(t testing.TB, width, height int64) *Window {
	t.Helper()
	ctx, stop := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(Need(t)), chromedp.NoSandbox, chromedp.WSURLReadTimeout(step), chromedp.UserDataDir(t.TempDir()))...))
	w := &Window{t: t, ctx: ctx}
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

// Prefer sets what the person's system prefers: light or dark.
func (w *Window) Prefer(scheme string) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(w.t, err)
}

func (w *Window) listen(ev any) {
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

// Do runs actions.
func (w *Window) Do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, step)
	defer cancel()
	require.NoError(w.t, chromedp.Do(ctx, actions...))
}

// Value runs an action that returns one.
func Value[T any](w *Window, a chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, step)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	require.NoError(w.t, err)
	return v
}

// Go opens an address and waits for the element that a page cannot do without.
func (w *Window) Go(url, element string) {
	w.t.Helper()
	w.Do(chromedp.Navigate(url), chromedp.WaitReady(element))
}

// Click clicks the first element that a selector finds, as a person who
// scrolled to it.
func (w *Window) Click(selector string) {
	w.t.Helper()
	w.Until(selector, "")
	w.Do(chromedp.Evaluate[chromedp.Void](find(selector) + ".click()"))
}

// Type writes into a field.
func (w *Window) Type(selector, text string) {
	w.t.Helper()
	w.Until(selector, "")
	w.Do(chromedp.Evaluate[chromedp.Void]("(e => { e.focus(); e.value = " + strconv.Quote(text) +
		"; e.dispatchEvent(new Event('change', {bubbles: true})) })(" + find(selector) + ")"))
}

func find(selector string) string { return "document.querySelector(" + strconv.Quote(selector) + ")" }

// Until waits for an element to be there and say something, without a reload.
func (w *Window) Until(selector, want string) {
	w.t.Helper()
	var got string
	require.Eventually(w.t, func() bool {
		v, err := chromedp.Run(w.ctx, chromedp.Evaluate[string]("(e => e ? 'there: ' + e.innerText : '')("+find(selector)+")"))
		got = strings.Join(strings.Fields(v), " ")
		return err == nil && strings.HasPrefix(got, "there:") && strings.Contains(got, want)
	}, patience, 100*time.Millisecond, "%s never said %q", selector, want)
}

// Fine fails on any error in the browser's console, blocked by policy or not,
// and on any request to another host.
func (w *Window) Fine(base string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(w.t, w.wrong)
	for _, url := range w.asked {
		require.True(w.t, strings.HasPrefix(url, base) || strings.HasPrefix(url, "data:") || url == "about:blank", "asked for %s", url)
	}
}
