package access

import (
	"context"
	"net"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/weirflow/weirflow/services/platform/web"
)

// Begin asks whether a call of gRPC may be made, as its metadata say who makes it. The
// context that it returns knows the caller; end is told the first request, if there was
// one, and how the call ended.
func (a *Access) Begin(ctx context.Context, method string) (_ context.Context, end func(first proto.Message, err error), _ error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c, err := a.admitCall(ctx, md)
	ctx, rec := a.begin(With(ctx, c), method, "")
	if err == nil {
		err = a.check(c, method)
	}
	if err != nil {
		rec.end(err)
		a.write(rec.entry)
		return nil, nil, err
	}
	return metadata.NewIncomingContext(ctx, metadata.MD{}), func(first proto.Message, err error) {
		if rec.end(err); rec.entry.GetTarget() == "" && first != nil {
			rec.entry.Target = nameIn(first, 1)
		}
		if a.rules[method].audited || rec.entry.GetCode() == codes.PermissionDenied.String() {
			a.write(rec.entry)
		}
	}, nil
}

// admitCall finds who makes a call, and whether he may make one at all.
func (a *Access) admitCall(ctx context.Context, md metadata.MD) (*Caller, error) {
	stranger := &Caller{Address: "unknown"}
	if p, ok := peer.FromContext(ctx); ok {
		stranger.Address = p.Addr.String()
		if host, _, err := net.SplitHostPort(stranger.Address); err == nil {
			stranger.Address = host
		}
	}
	c, err := a.byHeader(ctx, md.Get("authorization"), stranger.Address)
	switch {
	case err != nil || c == nil:
		c = stranger
	case c.Open && !localAuthority(md):
		return stranger, status.Error(codes.PermissionDenied, "without gateway.token or users only calls to 127.0.0.1 or localhost are answered")
	default:
		c.Address = stranger.Address
	}
	if wait, ok := a.rate.Allow(c.key()); !ok {
		return c, &tooMany{wait, "too many requests"}
	}
	return c, err
}

// localAuthority reports whether a call is to this machine by name.
func localAuthority(md metadata.MD) bool {
	for _, host := range md.Get(":authority") {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !web.Loopback(strings.Trim(host, "[]")) {
			return false
		}
	}
	return true
}
