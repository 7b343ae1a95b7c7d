package gateway_test

import (
	"context"
	"encoding/base64"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weirflow/weirflow/gateway"
	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

// besiegeFront runs a gateway with a gRPC port.
func besiegeFront(t *testing.T) (*castle, *grpc.ClientConn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := besiege(t, func(cfg *gateway.Config) { cfg.GRPC.Listen = at })
	conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return c, conn
}

// as is a context whose calls bring credentials.
func as(ctx context.Context, authorization string) context.Context {
	if authorization == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
}

func byPassword(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

// callOver makes a call with an empty request and returns how it ended.
func callOver(ctx context.Context, t *testing.T, conn *grpc.ClientConn, call string) error {
	t.Helper()
	dot := strings.LastIndexByte(call, '.')
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(call))
	if err != nil {
		t.Fatal(err)
	}
	m := d.(protoreflect.MethodDescriptor)
	message := func(name protoreflect.FullName) proto.Message {
		mt, err := protoregistry.GlobalTypes.FindMessageByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return mt.New().Interface()
	}
	path := "/" + call[:dot] + "/" + call[dot+1:]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !m.IsStreamingServer() {
		return conn.Invoke(ctx, path, message(m.Input().FullName()), message(m.Output().FullName()))
	}
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, path)
	if err != nil {
		return err
	}
	if err := s.SendMsg(message(m.Input().FullName())); err != nil {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	return s.RecvMsg(message(m.Output().FullName()))
}

// Every call that there is over REST is guarded over gRPC as it is there.
func TestBrokenAccessOverGRPC(t *testing.T) {
	c, conn := besiegeFront(t)
	c.user("vera", "ROLE_VIEWER")
	c.user("otto", "ROLE_OPERATOR")
	_, viewer := c.token("vera", "")
	_, operator := c.token("otto", "")
	_, scoped := c.token("otto", `,"scopes":["alerts"]`)
	_, admin := c.token(root, "")
	callers := []struct {
		name, with string
		role       int
		scope      string
	}{
		{"nobody", "", 0, ""},
		{"a token that was never given", "Bearer wf_zzzzzzzz_" + strings.Repeat("B", 52), 0, ""},
		{"a viewer", "Bearer " + viewer, 1, ""},
		{"an operator's token for alerts", "Bearer " + scoped, 2, "alert.v1"},
		{"an operator", "Bearer " + operator, 2, ""},
		{"an administrator", "Bearer " + admin, 3, ""},
	}
	for _, r := range allRoutes(t) {
		dot := strings.LastIndexByte(r.call, '.')
		service, short := r.call[:dot], r.call[dot+1:]
		for _, who := range callers {
			before := c.behind.asked("/" + service + "/" + short)
			err := callOver(as(t.Context(), who.with), t, conn, r.call)
			code := status.Code(err)
			if strings.HasSuffix(service, "SessionService") {
				if code == codes.OK {
					t.Errorf("%s: %s makes a session over gRPC", who.name, r.call)
				}
				continue
			}
			own := short == "CreateToken" // not with a token
			want := codes.OK
			switch {
			case who.role == 0:
				want = codes.Unauthenticated
			case who.role < least(r.call) || who.scope != "" && !strings.Contains(r.call, who.scope):
				want = codes.PermissionDenied
			}
			if want != codes.OK && (code != want || c.behind.asked("/"+service+"/"+short) != before) {
				t.Errorf("%s: %s: %v; want %s", who.name, r.call, err, want)
			}
			if want == codes.OK && !own && (code == codes.Unauthenticated || code == codes.PermissionDenied) {
				t.Errorf("%s: %s: %v", who.name, r.call, err)
			}
			if want == codes.OK && code == codes.Unimplemented && !strings.Contains(err.Error(), "no streams here") {
				t.Errorf("%s leads nowhere: %v", r.call, err)
			}
		}
	}
}

func TestChangesOverGRPCAreSignedAndWrittenDown(t *testing.T) {
	c, conn := besiegeFront(t)
	c.user("otto", "ROLE_OPERATOR")
	ctx := as(t.Context(), byPassword("otto", password))
	alerts := alertv1.NewAlertServiceClient(conn)
	if _, err := alerts.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{Fingerprint: "f"}); err != nil || !strings.Contains(c.behind.lastText(), `by:"otto"`) {
		t.Errorf("%v; alerting was told %s", err, c.behind.lastText())
	}
	if _, err := alerts.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{Fingerprint: "f", By: "root"}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("otto signs as root: %v", err)
	}
	jobs := jobv1.NewJobServiceClient(conn)
	if _, err := jobs.DeleteJob(ctx, &jobv1.DeleteJobRequest{Name: "orders"}); err != nil {
		t.Fatal(err)
	}
	log := accessv1.NewAuditServiceClient(conn)
	if _, err := log.ListAuditEntries(ctx, &accessv1.ListAuditEntriesRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("an operator reads the audit log: %v", err)
	}
	c.eventually("the change is written down", func() bool {
		res, err := log.ListAuditEntries(as(t.Context(), byPassword(root, rootSecret)), &accessv1.ListAuditEntriesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.GetEntries() {
			if strings.HasSuffix(e.GetMethod(), "JobService/DeleteJob") && e.GetUser() == "otto" && e.GetTarget() == "orders" && e.GetCode() == "OK" && e.GetAddress() == "127.0.0.1" {
				return true
			}
		}
		return false
	})
}

func TestBruteForceOverGRPC(t *testing.T) {
	c, conn := besiegeFront(t)
	c.user("anna", "ROLE_VIEWER")
	var err error
	tries := 0
	for ; tries < 30; tries++ {
		if err = callOver(as(t.Context(), byPassword("anna", "wrong")), t, conn, "weirflow.job.v1.JobService.ListJobs"); status.Code(err) != codes.Unauthenticated {
			break
		}
	}
	if status.Code(err) != codes.ResourceExhausted || tries > 20 {
		t.Errorf("after %d wrong passwords: %v", tries, err)
	}
	if a := c.do("GET", "/api/v1/jobs", "", basic("anna", "wrong")); a.code != 429 {
		t.Errorf("over HTTP one may guess on: %d", a.code)
	}
}

func TestGRPCBeyondLoopbackNeedsUsers(t *testing.T) {
	cfg := gateway.DefaultConfig()
	cfg.GRPC.Listen = "0.0.0.0:8081"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "gateway.grpc.listen") {
		t.Errorf("err = %v", err)
	}
	cfg.Token = "t"
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	cfg.GRPC.Listen = "8081"
	if err := cfg.Validate(); err == nil {
		t.Error("8081 is not host:port")
	}
}

func TestUnchangedThingsAreNotSentAgain(t *testing.T) {
	h := start(t, nil)
	first := call(h, "GET", "/api/v1/jobs/one", "")
	tag := first.Header().Get("Etag")
	if first.Code != 200 || tag == "" {
		t.Fatalf("%d %q", first.Code, tag)
	}
	if w := call(h, "GET", "/api/v1/jobs/one", "", "If-None-Match", tag); w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := call(h, "GET", "/api/v1/jobs/one", "", "If-None-Match", tag, "Accept-Encoding", "gzip"); w.Code != 304 {
		t.Errorf("compressed: %d", w.Code)
	}
	if w := call(h, "GET", "/api/v1/jobs/two", "", "If-None-Match", tag); w.Code != 404 || w.Header().Get("Etag") != "" {
		t.Errorf("absent: %d %q", w.Code, w.Header().Get("Etag"))
	}
}
