package pubsub

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"plumbline.dev/services/ingest/pubsub/pubsubpb"
)

// The methods of eventbus.v1.PubSub that are used.
const (
	subscribeMethod = "/eventbus.v1.PubSub/Subscribe"
	schemaMethod    = "/eventbus.v1.PubSub/GetSchema"
	maxMessage      = 16 << 20 // a hundred events of the largest size are not sent at once
	schemaTimeout   = 20 * time.Second
)

var subscribeStream = grpc.StreamDesc{StreamName: "Subscribe", ServerStreams: true, ClientStreams: true}

// Session gives the credential of a connection.
type Session interface {
	// Token is an access token; fresh asks for a new one, because the last was
	// refused.
	Token(ctx context.Context, fresh bool) (string, error)
	Instance() string // the org's own address
}

// Dialer opens connections where they may lead.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// dial makes a connection that opens when it is used. Only http://, for a
// simulator on the own network, is not encrypted.
func dial(base *url.URL, dialer Dialer, roots *x509.CertPool) (*grpc.ClientConn, error) {
	secure := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots})
	if base.Scheme == "http" {
		secure = insecure.NewCredentials()
	}
	// passthrough: the dialer resolves the name, and judges what it stands for.
	cc, err := grpc.NewClient("passthrough:///"+base.Host, grpc.WithTransportCredentials(secure),
		grpc.WithAuthority(base.Host),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return dialer(ctx, "tcp", address) }),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)), grpc.WithDisableServiceConfig())
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", base.Host, err)
	}
	return cc, nil
}

// signed puts the credential on a call.
func (s *Stream) signed(ctx context.Context) (context.Context, error) {
	token, err := s.o.Session.Token(ctx, s.fresh)
	if err != nil {
		return nil, err
	}
	s.fresh = false
	return metadata.AppendToOutgoingContext(ctx, "accesstoken", token, "instanceurl", s.o.Session.Instance(), "tenantid", s.o.Tenant), nil
}

// maxShapes bounds the cache: an org has an event for each object and a
// version for each change of its fields.
const maxShapes = 512

// shape is the schema with this id, asked for once.
func (s *Stream) shape(ctx context.Context, id string) (*shape, error) {
	if x := s.shapes[id]; x != nil {
		return x, nil
	}
	ctx, cancel := context.WithTimeout(ctx, schemaTimeout)
	defer cancel()
	var info pubsubpb.SchemaInfo
	if err := s.cc.Invoke(ctx, schemaMethod, &pubsubpb.SchemaRequest{SchemaId: id}, &info); err != nil {
		return nil, err
	}
	x, err := parse(info.GetSchemaJson())
	if err != nil {
		return nil, errors.Join(errSchema, err)
	}
	if len(s.shapes) >= maxShapes {
		clear(s.shapes)
	}
	s.shapes[id] = x
	return x, nil
}

// errSchema means that asking again gives the same.
var errSchema = errors.New("the schema cannot be read")
