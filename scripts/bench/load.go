package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load posts signed HubSpot bodies and keeps every latency.
type load struct {
	url    string
	client *http.Client
	next   atomic.Int64

	mu   sync.Mutex
	took []time.Duration
	bad  int
}

func newLoad(addr string, connections int) *load {
	t := &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}
	return &load{url: "http://" + addr + "/hooks/hubspot-main", client: &http.Client{Transport: t, Timeout: 20 * time.Second}}
}

// body makes n property changes of ever new events on 50,000 records.
func (l *load) body(n int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range n {
		id := l.next.Add(1)
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"eventId":%d,"subscriptionId":2426762,"portalId":62515,"appId":54321,"occurredAt":%d,`+
			`"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":%d,"propertyName":"lifecyclestage",`+
			`"propertyValue":"value %d","changeSource":"CRM_UI","sourceId":"userId:51430000"}`,
			id, time.Now().UnixMilli(), id*7919%50_000, id)
	}
	b.WriteByte(']')
	return b.Bytes()
}

func (l *load) post(body []byte) error {
	at := strconv.FormatInt(time.Now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST" + publicURL))
	mac.Write(body)
	mac.Write([]byte(at))
	req, err := http.NewRequest(http.MethodPost, l.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-HubSpot-Request-Timestamp", at)
	req.Header.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	started := time.Now()
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, time.Since(started))
	if resp.StatusCode/100 != 2 {
		l.bad++
	}
	return nil
}

// flood posts requests bodies of size events as fast as connections allow.
func (l *load) flood(connections, requests, size int) error {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(requests))
	errs := make(chan error, connections)
	for range connections {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := l.post(l.body(size)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	if l.bad > 0 {
		return fmt.Errorf("%d requests were not answered 2xx", l.bad)
	}
	return nil
}

// percentile in milliseconds.
func percentile(took []time.Duration, p float64) float64 {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Clone(took)
	slices.Sort(sorted)
	i := min(int(p*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i].Microseconds()) / 1000
}
