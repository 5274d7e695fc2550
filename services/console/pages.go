package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var assetFiles embed.FS

// pages are the templates and the files they load.
type pages struct {
	templates *template.Template
	files     map[string]asset
}

type asset struct {
	bytes       []byte
	contentType string
	version     string // of its content: a new one is a new address
}

func newPages() (*pages, error) {
	p := &pages{files: map[string]asset{}}
	for name, contentType := range map[string]string{
		"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		b, err := fs.ReadFile(assetFiles, "assets/"+name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(b)
		p.files[name] = asset{b, contentType, hex.EncodeToString(sum[:6])}
	}
	var err error
	p.templates, err = template.New("").Funcs(template.FuncMap{
		"asset": func(name string) string { return "/assets/" + name + "?v=" + p.files[name].version },
		"rfc":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"insert": func(name string, data any) (template.HTML, error) {
			var b bytes.Buffer
			err := p.templates.ExecuteTemplate(&b, name, data)
			return template.HTML(b.String()), err //nolint:gosec // a template's own output
		},
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
	}).ParseFS(assetFiles, "assets/*.html")
	return p, err
}

func (p *pages) write(w http.ResponseWriter, name string, data any) error {
	return p.writeCode(w, http.StatusOK, name, data)
}

// writeCode renders to memory first: half a page with a 200 is worse than a 500.
func (p *pages) writeCode(w http.ResponseWriter, code int, name string, data any) error {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "this page could not be made; the console's log says why", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, err := w.Write(b.Bytes())
	return err
}

func (p *pages) asset(w http.ResponseWriter, r *http.Request) {
	f, ok := p.files[path.Base(r.URL.Path)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.URL.Query().Get("v") == f.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Header().Set("Content-Type", f.contentType)
	_, _ = w.Write(f.bytes)
}
