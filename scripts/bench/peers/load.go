package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	secret    = "bench-hook-secret"
	publicURL = "https://hooks.example.com/hooks/hubspot-main"
	pool      = 2048 // different requests, signed beforehand: the load should cost little
)

// load posts over plain connections, one request after the other on each.
type load struct {
	addr     string
	requests [][]byte
}

type outcome struct {
	requests, bad int64
	took          time.Duration
	latencies     []time.Duration
}

var serial atomic.Int64

func newLoad(addr string) *load {
	l := &load{addr: addr}
	for range max(pool / *size, 64) {
		l.requests = append(l.requests, request(body(*size)))
	}
	return l
}

func body(n int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range n {
		id := serial.Add(1)
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"eventId":%d,"subscriptionId":2426762,"portalId":62515,"appId":54321,"occurredAt":%d,`+
			`"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":%d,"propertyName":"lifecyclestage",`+
			`"propertyValue":"value %d","changeSource":"CRM_UI","sourceId":"userId:51430000"}`, id, time.Now().UnixMilli(), id%50_000, id)
	}
	b.WriteByte(']')
	return b.Bytes()
}

func request(body []byte) []byte {
	at := strconv.FormatInt(time.Now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST" + publicURL))
	mac.Write(body)
	mac.Write([]byte(at))
	head := fmt.Sprintf("POST /hooks/hubspot-main HTTP/1.1\r\nHost: hooks.example.com\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"X-HubSpot-Request-Timestamp: %s\r\nX-HubSpot-Signature-v3: %s\r\n\r\n", len(body), at, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return append([]byte(head), body...)
}

func (l *load) flood(length time.Duration) (outcome, error) {
	var out outcome
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failure error
	started := time.Now()
	until := started.Add(length)
	for c := range *connections {
		wg.Go(func() {
			o, err := l.connection(c, until)
			mu.Lock()
			defer mu.Unlock()
			out.requests += o.requests
			out.bad += o.bad
			out.latencies = append(out.latencies, o.latencies...)
			if err != nil {
				failure = err
			}
		})
	}
	wg.Wait()
	out.took = time.Since(started)
	return out, failure
}

func (l *load) connection(c int, until time.Time) (outcome, error) {
	var out outcome
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return out, err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 2048)
	for i := c * 7; ; i++ {
		sent := time.Now()
		if sent.After(until) {
			return out, nil
		}
		if _, err := conn.Write(l.requests[i%len(l.requests)]); err != nil {
			return out, err
		}
		code, err := answer(in)
		if err != nil {
			return out, err
		}
		out.requests++
		if code/100 != 2 {
			out.bad++
		}
		if i%8 == 0 {
			out.latencies = append(out.latencies, time.Since(sent))
		}
	}
}

// answer reads one response: its status, and past its body.
func answer(in *bufio.Reader) (code int, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("no status line: %q", line)
	}
	code, _ = strconv.Atoi(string(line[9:12]))
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return code, err
}

func (o *outcome) percentile(p float64) float64 {
	if len(o.latencies) == 0 {
		return 0
	}
	slices.Sort(o.latencies)
	return float64(o.latencies[min(int(p*float64(len(o.latencies))), len(o.latencies)-1)].Microseconds()) / 1000
}
