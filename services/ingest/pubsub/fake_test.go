package pubsub

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"maps"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/avro"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"plumbline.dev/services/ingest/pubsub/pubsubpb"
)

// contactSchema has what Salesforce's have: a header with bitmaps, a compound
// name that may be plain text, two addresses of one type, times as numbers.
const contactSchema = `{"type":"record","name":"ContactChangeEvent","namespace":"com.sforce.eventbus","fields":[
 {"name":"ChangeEventHeader","type":{"type":"record","name":"ChangeEventHeader","fields":[
  {"name":"entityName","type":"string"},{"name":"recordIds","type":{"type":"array","items":"string"}},
  {"name":"changeType","type":{"type":"enum","name":"ChangeType","symbols":["CREATE","UPDATE","DELETE","UNDELETE","GAP_CREATE","GAP_UPDATE","GAP_DELETE","GAP_UNDELETE","GAP_OVERFLOW"]}},
  {"name":"changeOrigin","type":"string"},{"name":"transactionKey","type":"string"},{"name":"sequenceNumber","type":"int"},
  {"name":"commitTimestamp","type":"long"},{"name":"commitNumber","type":"long"},{"name":"commitUser","type":"string"},
  {"name":"nulledFields","type":{"type":"array","items":"string"}},{"name":"diffFields","type":{"type":"array","items":"string"}},
  {"name":"changedFields","type":{"type":"array","items":"string"}}]}},
 {"name":"Name","type":["null","string",{"type":"record","name":"PersonName","fields":[
  {"name":"FirstName","type":["null","string"],"default":null},{"name":"LastName","type":["null","string"],"default":null}]}],"default":null},
 {"name":"MailingAddress","type":["null",{"type":"record","name":"Address","fields":[
  {"name":"Street","type":["null","string"],"default":null},{"name":"City","type":["null","string"],"default":null}]}],"default":null},
 {"name":"OtherAddress","type":["null","Address"],"default":null},
 {"name":"Phone","type":["null","string"],"doc":"Data:Phone","default":null},
 {"name":"Amount__c","type":["null","double"],"doc":"Data:Currency:00N1","default":null},
 {"name":"Birthdate","type":["null","long"],"doc":"Data:DateOnly","default":null},
 {"name":"LastModifiedDate","type":["null","long"],"doc":"LastModifiedDate:DateTime","default":null},
 {"name":"Visits__c","type":["null","long"],"doc":"Data:Long","default":null}]}`

var contact = avro.MustParse(contactSchema)

// update is an event of one record, with what a test wants otherwise.
func update(n int, more map[string]any, h map[string]any) map[string]any {
	head := map[string]any{
		"entityName": "Contact", "recordIds": []string{fmt.Sprintf("003%012dAAA", n)}, "changeType": "UPDATE",
		"changeOrigin": "com/salesforce/api/rest/60.0;client=sync", "transactionKey": fmt.Sprintf("tx-%d", n), "sequenceNumber": 1,
		"commitTimestamp": int64(1_767_323_045_678), "commitNumber": int64(1745500706683617281), "commitUser": "005000000000001AAA",
		"nulledFields": []string{}, "diffFields": []string{}, "changedFields": []string{},
	}
	maps.Copy(head, h)
	e := map[string]any{
		"ChangeEventHeader": head, "Name": nil, "MailingAddress": nil, "OtherAddress": nil, "Phone": nil, "Amount__c": nil,
		"Birthdate": nil, "LastModifiedDate": nil, "Visits__c": nil,
	}
	maps.Copy(e, more)
	return e
}

// org is Salesforce's side: a stream that is kept for a while, and read from
// where a reader says.
type org struct {
	t  testing.TB
	mu sync.Mutex

	events   [][]byte // Avro; the nth has replay id n+1
	forgot   int      // replay ids up to this are gone
	token    string
	quiet    bool // says so at once
	drop     int  // break each stream after so many events
	schemas  int  // times a schema was asked for
	requests []*pubsubpb.FetchRequest
	wake     chan struct{}
	addr     string
	roots    *x509.CertPool
}

func replay(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) } //nolint:gosec // test's own numbers

func (o *org) add(events ...map[string]any) {
	o.t.Helper()
	for _, e := range events {
		b, err := contact.Encode(e)
		require.NoError(o.t, err)
		o.raw(b)
	}
}

func (o *org) raw(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, b)
	close(o.wake)
	o.wake = make(chan struct{})
}

// from is the index of the first event to send.
func (o *org) from(r *pubsubpb.FetchRequest) (int, error) {
	switch r.GetReplayPreset() {
	case pubsubpb.ReplayPreset_LATEST:
		return len(o.events), nil
	case pubsubpb.ReplayPreset_EARLIEST:
		return o.forgot, nil
	}
	n := int(binary.BigEndian.Uint64(r.GetReplayId())) //nolint:gosec // our own numbers
	if n < o.forgot {
		return 0, status.Error(codes.InvalidArgument, "the Replay ID is too old")
	}
	return n, nil
}

func (o *org) subscribe(st grpc.ServerStream) error {
	md, _ := metadata.FromIncomingContext(st.Context())
	o.mu.Lock()
	token := o.token
	o.mu.Unlock()
	if got := md.Get("accesstoken"); len(got) != 1 || got[0] != token || len(md.Get("tenantid")) != 1 || len(md.Get("instanceurl")) != 1 {
		return status.Error(codes.Unauthenticated, "invalid token")
	}
	var first pubsubpb.FetchRequest
	if err := st.RecvMsg(&first); err != nil {
		return err
	}
	o.mu.Lock()
	o.requests = append(o.requests, &first)
	next, err := o.from(&first)
	o.mu.Unlock()
	if err != nil {
		st.SetTrailer(metadata.Pairs(errorCode, "sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted"))
		return err
	}
	more := make(chan int, 16)
	go func() {
		for {
			var r pubsubpb.FetchRequest
			if st.RecvMsg(&r) != nil {
				close(more)
				return
			}
			more <- int(r.GetNumRequested())
		}
	}()
	return o.send(st, next, int(first.GetNumRequested()), more)
}

func (o *org) send(st grpc.ServerStream, next, open int, more chan int) error {
	sent := 0
	for {
		o.mu.Lock()
		wake, last := o.wake, len(o.events)
		out := &pubsubpb.FetchResponse{LatestReplayId: replay(last)}
		for ; next < last && len(out.GetEvents()) < open; next++ {
			out.Events = append(out.Events, &pubsubpb.ConsumerEvent{
				Event: &pubsubpb.ProducerEvent{SchemaId: "s1", Payload: o.events[next]}, ReplayId: replay(next + 1),
			})
		}
		quiet, drop := o.quiet, o.drop
		o.mu.Unlock()
		open -= len(out.GetEvents())
		if len(out.GetEvents()) > 0 || quiet {
			if err := st.SendMsg(out); err != nil {
				return err
			}
		}
		if sent += len(out.GetEvents()); drop > 0 && sent >= drop {
			return status.Error(codes.Unavailable, "maintenance")
		}
		if open > 0 && next < last {
			continue
		}
		select {
		case n, ok := <-more:
			if !ok {
				return nil
			}
			open += n
		case <-wake:
		case <-st.Context().Done():
			return nil
		}
	}
}

func (o *org) schema(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // grpc's order
	var r pubsubpb.SchemaRequest
	if err := dec(&r); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.schemas++
	return &pubsubpb.SchemaInfo{SchemaId: r.GetSchemaId(), SchemaJson: contactSchema}, nil
}

// startOrg serves over TLS, as Salesforce does.
func startOrg(t testing.TB) *org {
	t.Helper()
	o := &org{t: t, token: "token-1", wake: make(chan struct{})}
	cert, roots := certificate(t)
	o.roots = roots
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o.addr = l.Addr().String()
	s := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "eventbus.v1.PubSub", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "GetSchema", Handler: o.schema}},
		Streams: []grpc.StreamDesc{{
			StreamName: "Subscribe", ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, st grpc.ServerStream) error { return o.subscribe(st) },
		}},
	}, o)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return o
}

func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pubsub"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
