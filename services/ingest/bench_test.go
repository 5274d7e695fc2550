package ingest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumbline.dev/services/internal/bus"
)

type noop struct{}

func (noop) Produce(context.Context, ...bus.Message) error { return nil }
func (noop) Ping(context.Context) error                    { return nil }

// sink is an answer nobody reads.
type sink struct {
	header http.Header
	code   int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(code int)        { s.code = code }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

func benchmark(b *testing.B, path, body string, h http.Header, events int) {
	s := newServer(b, options(b, noop{}))
	r := httptest.NewRequest(http.MethodPost, path, nil)
	r.Header, r.ContentLength = h, int64(len(body))
	raw, reader, w := []byte(body), bytes.NewReader(nil), &sink{header: http.Header{}}
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		reader.Reset(raw)
		r.Body = io.NopCloser(reader)
		s.ServeHTTP(w, r)
		if w.code != http.StatusAccepted {
			b.Fatal(w.code)
		}
	}
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkHookSingle(b *testing.B) {
	body := "[" + hubspotEvent(1, "lifecyclestage", "lead") + "]"
	benchmark(b, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime), 1)
}

func BenchmarkHook100(b *testing.B) {
	var events []string
	for i := range 100 {
		events = append(events, hubspotEvent(i, "lifecyclestage", "lead"))
	}
	body := "[" + strings.Join(events, ",") + "]"
	benchmark(b, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime), 100)
}

func BenchmarkAttempts100(b *testing.B) {
	body := "[" + strings.Repeat(goodAttempt+",", 99) + goodAttempt + "]"
	benchmark(b, "/v1/attempts", body, bearer(), 100)
}
