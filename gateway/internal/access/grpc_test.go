package access

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

// entries is an audit log that tests look into.
type entries struct {
	mu  sync.Mutex
	all []*accessv1.AuditEntry
}

func (e *entries) Write(x *accessv1.AuditEntry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, x)
}

func TestCallsOfGRPC(t *testing.T) {
	log := &entries{}
	a, err := New(DefaultConfig(), Deps{Logger: slog.New(slog.DiscardHandler), Token: "right", Audit: log, Now: time.Now, Routes: []byte("http: {}")})
	if err != nil {
		t.Fatal(err)
	}
	from := peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 4711}})
	with := func(values ...string) context.Context {
		return metadata.NewIncomingContext(from, metadata.MD{"authorization": values, "x-stolen": {"1"}})
	}
	const list, stop = "/weirflow.job.v1.JobService/ListJobs", "/weirflow.job.v1.JobService/StopJob"
	for name, x := range map[string]struct {
		ctx    context.Context
		method string
		want   codes.Code
	}{
		"nobody":         {from, list, codes.Unauthenticated},
		"a wrong token":  {with("Bearer wrong"), list, codes.Unauthenticated},
		"two tokens":     {with("Bearer wrong", "Bearer right"), list, codes.Unauthenticated},
		"the token":      {with("Bearer right"), list, codes.OK},
		"an absent call": {with("Bearer right"), "/weirflow.job.v1.JobService/Explode", codes.PermissionDenied},
		"no call at all": {with("Bearer right"), "", codes.PermissionDenied},
	} {
		if _, _, err := a.Begin(x.ctx, x.method); status.Code(err) != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, end, err := a.Begin(with("Bearer right"), stop)
	if err != nil {
		t.Fatal(err)
	}
	if md, _ := metadata.FromIncomingContext(ctx); len(md) != 0 || From(ctx).Token != StaticToken {
		t.Errorf("the call goes on with %v as %+v", md, From(ctx))
	}
	end(&jobv1.StopJobRequest{Name: "payments"}, nil)
	if e := log.all[len(log.all)-1]; e.GetTarget() != "payments" || e.GetCode() != "OK" || e.GetAddress() != "10.0.0.7" || e.GetMethod() != stop || e.GetToken() != StaticToken {
		t.Errorf("entry %v", e)
	}
}
