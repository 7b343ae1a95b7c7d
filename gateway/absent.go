package gateway

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// absent stands for a service that this gateway was not told of.
type absent string

func (a absent) err() error {
	return status.Error(codes.Unavailable, "this gateway knows no "+string(a)+" service: set "+string(a)+".address")
}

// Invoke says that there is no service.
func (a absent) Invoke(context.Context, string, any, any, ...grpc.CallOption) error { return a.err() }

// NewStream says that there is no service.
func (a absent) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, a.err()
}

// backend returns the connection to a service that may be left out.
func (s *Service) backend(name string) grpc.ClientConnInterface {
	if c := s.d.Backends[name]; c != nil {
		return c
	}
	return absent(name)
}
