package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

// Bodies made to break readers. Each is refused or dead-lettered with its
// reason, and a good neighbour goes on.
func TestPoisonElements(t *testing.T) {
	good := hubspotEvent(2, "p", "v")
	for name, bad := range map[string]string{
		"empty object":       `{}`,
		"a list":             `[]`,
		"null":               `null`,
		"a number":           `1`,
		"1e400":              strings.Replace(good, `"objectId":2`, `"objectId":1e400`, 1),
		"a fraction":         strings.Replace(good, `"objectId":2`, `"objectId":2.5`, 1),
		"time beyond int64":  strings.Replace(good, `1767323000000`, `9223372036854775808`, 1),
		"negative time":      strings.Replace(good, `1767323000000`, `-1`, 1),
		"name twice":         strings.Replace(good, `"objectId":2`, `"objectId":2,"objectId":3`, 1),
		"name twice inside":  strings.Replace(good, `"v"`, `{"a":1,"a":2}`, 1),
		"other case":         strings.Replace(good, `"objectId"`, `"ObjectID"`, 1),
		"NUL in an id":       strings.Replace(good, `"objectId":2`, `"objectId":"2\u0000"`, 1),
		"lone surrogate":     strings.Replace(good, `"v"`, `"\ud800"`, 1),
		"invalid UTF-8":      strings.Replace(good, `"v"`, "\"\xff\"", 1),
		"slash in an object": strings.Replace(strings.Replace(good, "contact.propertyChange", "object.propertyChange", 1), `"objectId"`, `"objectTypeId":"2-1/../x","objectId"`, 1),
	} {
		p := &recorder{}
		body := "[" + bad + "," + good + "]"
		w := post(newServer(t, options(t, p)), "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
		require.Equal(t, 202, w.Code, "%s: %s", name, w.Body)
		require.Contains(t, w.Body.String(), `"accepted":1`, name)
		kept := 0
		for _, m := range p.take() {
			if d, ok := m.Event.(*event.DeadLetter); ok {
				plain, err := testKey(t).Open(d.Tenant, d.Origin, d.Bytes)
				require.NoError(t, err)
				require.Equal(t, bad, string(plain), "%s: its bytes are kept", name)
				require.NotContains(t, d.Reason, "jane")
				kept++
			}
		}
		require.Equal(t, 1, kept, name)
	}
	for name, body := range map[string]string{
		"BOM": "\ufeff[" + good + "]", "trailing garbage": "[" + good + "]x", "truncated": "[" + good, "two lists": "[" + good + "][" + good + "]",
		"deep": strings.Repeat(`[{"a":`, 5000) + "1" + strings.Repeat("}]", 5000), "a word": "true",
	} {
		p := &recorder{}
		w := post(newServer(t, options(t, p)), "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
		require.Equal(t, 400, w.Code, name)
		require.Zero(t, p.calls, name)
	}
}

// Ids beyond 2^53 keep their digits.
func TestBigNumbersSurvive(t *testing.T) {
	p := &recorder{}
	body := strings.Replace(hubspotEvent(2, "p", "v"), `"objectId":2`, `"objectId":9007199254740993`, 1)
	body = strings.Replace(body, `"propertyValue":"v"`, `"propertyValue":18446744073709551617`, 1)
	require.Equal(t, 202, post(newServer(t, options(t, p)), "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime)).Code)
	c := p.take()[0].Event.(*event.Change)
	require.Equal(t, "9007199254740993", c.RecordID)
	require.Equal(t, "18446744073709551617", c.Fields[0].Value.Text)
}

// A million names in one object cost bounded time and memory.
func TestManyMembers(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"integration":"hs-sf","fields":{`)
	for i := range 60_000 {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	b.WriteString(`"z":1}}`)
	w := post(newServer(t, options(t, &recorder{})), "/v1/attempts", "["+b.String()+","+goodAttempt+"]", bearer())
	require.Equal(t, 202, w.Code)
	require.Contains(t, w.Body.String(), "too many fields")
}

// XML that makes parsers fetch, expand or dig is refused; nothing of it is kept.
func TestHostileXML(t *testing.T) {
	head := `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D1</OrganizationId>`
	tail := `</notifications></soapenv:Body></soapenv:Envelope>`
	note := func(inner string) string {
		return `<Notification><Id>04l1</Id><sObject xsi:type="sf:Contact" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:sf="urn:s"><sf:Id>003000000000001AAA</sf:Id>` + inner + `</sObject></Notification>`
	}
	for name, tc := range map[string]struct {
		body string
		code int
	}{
		"good":            {head + note("") + tail, 200},
		"entity":          {`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + head + note("<sf:A>&x;</sf:A>") + tail, 400},
		"billion laughs":  {`<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>` + head + note("<sf:A>&b;</sf:A>") + tail, 400},
		"deep":            {head + note(strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100)) + tail, 400},
		"other charset":   {`<?xml version="1.0" encoding="UTF-16"?>` + head + note("") + tail, 400},
		"cut":             {head + note("")[:80], 400},
		"no notification": {head + tail, 400},
		"huge field":      {head + note("<sf:A>"+strings.Repeat("x", 1<<20)+"</sf:A>") + tail, 400},
		"101 of them":     {head + strings.Repeat(note(""), 101) + tail, 413},
	} {
		p := &recorder{}
		w := post(newServer(t, everySource(t, p)), "/hooks/salesforce/"+shared, tc.body, http.Header{"Content-Type": {"text/xml"}})
		require.Equal(t, tc.code, w.Code, "%s: %s", name, w.Body)
		if tc.code != 200 {
			require.Zero(t, p.calls, name)
		}
	}
}

// A request cut off at any byte leaves nothing behind; whole, it is one event.
func TestClientAbortsAtEveryByte(t *testing.T) {
	p := &recorder{}
	s := start(t, options(t, p))
	request := fmt.Sprintf("POST /v1/attempts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		token, len(goodAttempt), goodAttempt)
	var wg sync.WaitGroup
	for k := range len(request) {
		wg.Go(func() {
			c, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(c, request[:k])
			_ = c.Close()
		})
		if k%64 == 0 {
			wg.Wait()
		}
	}
	wg.Wait()
	c, err := net.Dial("tcp", s.Addr())
	require.NoError(t, err)
	_, err = io.WriteString(c, request)
	require.NoError(t, err)
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Contains(t, string(answer), "202 Accepted")
	require.NoError(t, c.Close())
	require.Len(t, p.take(), 1)
	require.Eventually(t, func() bool { return s.inflight.Load() == 0 }, time.Minute, time.Millisecond)
}

// Length and chunks together: the chunks decide, and what follows them is
// another request, which has to prove itself.
func TestSmuggling(t *testing.T) {
	p := &recorder{}
	s := start(t, options(t, p))
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(goodAttempt), goodAttempt)
	smuggled := "POST /v1/attempts HTTP/1.1\r\nHost: x\r\nContent-Length: " + fmt.Sprint(len(goodAttempt)) + "\r\n\r\n" + goodAttempt
	c, err := net.Dial("tcp", s.Addr())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(c, "POST /v1/attempts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked+smuggled)
	require.NoError(t, err)
	in := bufio.NewReader(c)
	first, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, first.Body)
	require.NoError(t, first.Body.Close())
	if first.StatusCode == 202 {
		if second, err := http.ReadResponse(in, nil); err == nil {
			require.Equal(t, 401, second.StatusCode)
			require.NoError(t, second.Body.Close())
		}
	}
	require.LessOrEqual(t, len(p.take()), 1)
}

// Slow strangers hold connections, but only so long, and good senders are
// answered meanwhile.
func TestSlowloris(t *testing.T) {
	p := &recorder{}
	o := options(t, p)
	o.Limits = DefaultLimits()
	o.Limits.Header, o.Limits.Read = 500*time.Millisecond, time.Second
	s := start(t, o)
	var slow []net.Conn
	for i := range 200 {
		c, err := net.Dial("tcp", s.Addr())
		require.NoError(t, err)
		if i%2 == 0 {
			_, _ = io.WriteString(c, "POST /v1/attempts HTTP/1.1\r\nHost: x\r\n") // headers that never end
		} else {
			_, _ = io.WriteString(c, "POST /v1/attempts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\nContent-Length: 100000\r\n\r\n{")
		}
		slow = append(slow, c)
	}
	code, _ := send(t, s, "/v1/attempts", []byte(goodAttempt), bearer())
	require.Equal(t, 202, code)
	for _, c := range slow {
		require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
		_, err := io.Copy(io.Discard, c)
		if e, ok := err.(net.Error); ok { //nolint:errorlint // of this very connection
			require.False(t, e.Timeout(), "the server closes")
		}
		_ = c.Close()
	}
	require.Len(t, p.take(), 1)
}

// A hundred megabytes, announced or not, cost no more memory than one body may.
func TestHugeBodies(t *testing.T) {
	s := start(t, options(t, &recorder{}))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, announced := range []bool{true, false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr()+"/v1/attempts", io.LimitReader(zeros{}, 100<<20))
		require.NoError(t, err)
		r.Header = bearer()
		if announced {
			r.ContentLength = 100 << 20
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil { // closed while we still sent: as good
			continue
		}
		require.Equal(t, 413, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(32<<20))
	require.Eventually(t, func() bool { return s.inflight.Load() == 0 }, time.Minute, time.Millisecond)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte{' '}, len(b))), nil }

// The same delivery again, before and after a restart, is the same event: the
// stages behind drop it.
func TestReplayIsTheSameEvent(t *testing.T) {
	body := "[" + hubspotEvent(1, "p", "v") + "]"
	ids := map[string]int{}
	for range 2 { // two processes
		p := &recorder{}
		s := newServer(t, options(t, p))
		for range 3 {
			require.Equal(t, 202, post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime)).Code)
		}
		for _, m := range p.take() {
			c := m.Event.(*event.Change)
			ids[c.ID+fmt.Sprint(c.BodyHash)]++
		}
	}
	require.Len(t, ids, 1)
}
