package sdk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// maxMessage is the longest message that services send.
const maxMessage = 32 << 20

// Options say how a service is reached. The zero value is plain gRPC without a token, as
// services on one's own machine speak it.
type Options struct {
	// Token is an API token.
	Token string
	// TLS, if set, is used for the connection; an empty one trusts the system's authorities.
	TLS *tls.Config
	// InsecureToken lets a token go to another machine without TLS, where whoever is in
	// between can read it.
	InsecureToken bool
}

// Dial makes a connection to an address such as 127.0.0.1:7070. It connects when it is
// first used, and again after it broke. The generated clients take it:
//
//	jobv1.NewJobServiceClient(conn)
func Dial(address string, o Options) (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if o.TLS != nil {
		creds = credentials.NewTLS(o.TLS)
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
	}
	if o.Token != "" {
		if o.TLS == nil && !o.InsecureToken && !loopback(address) {
			return nil, fmt.Errorf("dial %s: %w", address, errReadable)
		}
		opts = append(opts, grpc.WithPerRPCCredentials(bearer(o.Token)))
	}
	conn, err := grpc.NewClient(address, opts...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return conn, nil
}

var errReadable = errors.New("without TLS the token could be read on its way to another machine: set TLS, or InsecureToken")

// loopback reports whether an address is this machine for certain.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// bearer brings a token with every call.
type bearer string

// GetRequestMetadata returns the header.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity says no: Dial has looked at where the token goes.
func (bearer) RequireTransportSecurity() bool { return false }
