package rpc_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
	board "github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

func TestTokenIsAsked(t *testing.T) {
	tel, err := telemetry.New(t.Context(), "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{"127.0.0.1:0", rpc.InMemory} {
		t.Run(listen, func(t *testing.T) {
			s, err := rpc.NewServer(rpc.ServerConfig{Listen: listen, Token: "right"}, tel)
			if err != nil {
				t.Fatal(err)
			}
			statusv1.RegisterStatusServiceServer(s, board.Server{Board: board.New("test", "i")})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.Run(ctx) }()
			for token, want := range map[string]codes.Code{"right": codes.OK, "wrong": codes.Unauthenticated, "": codes.Unauthenticated} {
				c := rpc.ClientConfig{}
				c.Token = secret.String(token)
				conn, err := rpc.DialServer(s, c, tel)
				if err != nil {
					t.Fatal(err)
				}
				_, err = statusv1.NewStatusServiceClient(conn).GetStatus(ctx, &statusv1.GetStatusRequest{})
				if status.Code(err) != want {
					t.Errorf("token %q: %v, want %s", token, err, want)
				}
				if _, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{}); err != nil {
					t.Errorf("health with token %q: %v", token, err)
				}
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	tel, err := telemetry.New(t.Context(), "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s, err := rpc.NewServer(rpc.ServerConfig{Listen: "127.0.0.1:0"}, tel)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if _, err := rpc.NewServer(rpc.ServerConfig{Listen: s.Addr()}, tel); err == nil || !strings.Contains(err.Error(), s.Addr()) {
		t.Errorf("err = %v, want the address named", err)
	}
}

func TestOneOfSeveralAddressesAnswers(t *testing.T) {
	tel, err := telemetry.New(t.Context(), "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	var stop []context.CancelFunc
	var ended []chan error
	for range 2 {
		s, err := rpc.NewServer(rpc.ServerConfig{Listen: "127.0.0.1:0"}, tel)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		list, stop, ended = append(list, s.Addr()), append(stop, cancel), append(ended, done)
	}
	conn, err := rpc.Dial(rpc.ClientConfig{Address: strings.Join(list, ", ")}, tel)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	check := func() error {
		_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
		return err
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	stop[0]()
	if err := <-ended[0]; err != nil {
		t.Error(err)
	}
	if err := check(); err != nil {
		t.Errorf("the second does not answer for the first: %v", err)
	}
	stop[1]()
	if err := <-ended[1]; err != nil {
		t.Error(err)
	}
}
