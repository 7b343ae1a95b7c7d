package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirflow/weirflow/gateway/internal/audit"
	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func start(t *testing.T, cfg kafka.Config) (l *audit.Log, stop func()) {
	t.Helper()
	l, err := audit.New(cfg, slog.New(slog.DiscardHandler), noop.NewMeterProvider(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return l, stop
}

// eventually asks until an answer has so many entries.
func eventually(t *testing.T, s *audit.Server, req *accessv1.ListAuditEntriesRequest, want int) *accessv1.ListAuditEntriesResponse {
	t.Helper()
	var res *accessv1.ListAuditEntriesResponse
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if res, err = s.ListAuditEntries(t.Context(), req); err == nil && len(res.GetEntries()) == want {
			return res
		}
	}
	t.Fatalf("%v: %d entries, %v; want %d", req, len(res.GetEntries()), err, want)
	return nil
}

func TestEntriesAreFoundNewestFirst(t *testing.T) {
	cfg := kafkatest.Start(t)
	l, stop := start(t, cfg)
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	const all = 4500 // more than two steps back
	for i := range all {
		user := "anna"
		if i%100 == 0 {
			user = "Bert"
		}
		l.Write(&accessv1.AuditEntry{At: timestamppb.New(began.Add(time.Duration(i) * time.Second)), User: user, Method: "/weirflow.job.v1.JobService/CreateJob", Target: fmt.Sprint("job-", i), Code: "OK"})
	}
	s := audit.NewServer(l)
	eventually(t, s, &accessv1.ListAuditEntriesRequest{Text: fmt.Sprint("job-", all-1)}, 1) // all is written
	res := eventually(t, s, &accessv1.ListAuditEntriesRequest{PageSize: 3}, 3)
	if got := res.GetEntries()[0].GetTarget(); got != fmt.Sprint("job-", all-1) {
		t.Errorf("the first is %s", got)
	}
	next, err := s.ListAuditEntries(t.Context(), &accessv1.ListAuditEntriesRequest{PageSize: 3, PageToken: res.GetNextPageToken()})
	if err != nil || next.GetEntries()[0].GetTarget() != fmt.Sprint("job-", all-4) {
		t.Errorf("the second page: %v %v", next, err)
	}
	if res := eventually(t, s, &accessv1.ListAuditEntriesRequest{Text: "bert", PageSize: 1000}, 45); res.GetNextPageToken() != "" {
		t.Error("there is a page behind the last")
	}
	between := &accessv1.ListAuditEntriesRequest{Since: timestamppb.New(began.Add(10 * time.Second)), Until: timestamppb.New(began.Add(19 * time.Second)), PageSize: 1000}
	if res := eventually(t, s, between, 10); res.GetEntries()[9].GetTarget() != "job-10" {
		t.Errorf("the last of the time is %s", res.GetEntries()[9].GetTarget())
	}
	for _, bad := range []*accessv1.ListAuditEntriesRequest{{PageToken: "!"}, {PageToken: "LTU"}, {PageSize: -1}, {PageSize: 1001}} {
		if _, err := s.ListAuditEntries(t.Context(), bad); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
	stop()
	other, _ := start(t, cfg) // another gateway, or this one started again
	eventually(t, audit.NewServer(other), &accessv1.ListAuditEntriesRequest{Text: "job-4499"}, 1)
}

func TestTextsAreBounded(t *testing.T) {
	l, _ := start(t, kafkatest.Start(t))
	l.Write(&accessv1.AuditEntry{User: strings.Repeat("ü", 300), Message: strings.Repeat("x", 10_000), Method: "GET /" + strings.Repeat("y", 70_000)})
	e := eventually(t, audit.NewServer(l), &accessv1.ListAuditEntriesRequest{}, 1).GetEntries()[0]
	if len(e.GetUser()) > 210 || len(e.GetMessage()) > 510 || len(e.GetMethod()) > 210 || e.GetAt() == nil {
		t.Errorf("an entry has texts of %d, %d, %d bytes and time %v", len(e.GetUser()), len(e.GetMessage()), len(e.GetMethod()), e.GetAt())
	}
}

// A Kafka that is away holds nobody up, and what can't be kept is at least in the log.
func TestNothingIsLostSilently(t *testing.T) {
	var lines bytes.Buffer
	l, err := audit.New(kafka.Config{Brokers: []string{"127.0.0.1:1"}}, slog.New(slog.NewTextHandler(&lines, nil)), noop.NewMeterProvider(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i := range 10_003 {
		l.Write(&accessv1.AuditEntry{User: "anna", Target: fmt.Sprint("target-", i)})
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("10,003 entries without a Kafka took %s", d)
	}
	if n := strings.Count(lines.String(), "audit log could not be written"); n != 3 || !strings.Contains(lines.String(), "target-10002") {
		t.Errorf("%d entries are in the log, want the 3 that had no room", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ended); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(lines.String(), "audit log could not be written"); n != 10_003 {
		t.Errorf("at the end %d entries are in the log, want all", n)
	}
}

func TestWithoutAKafkaEntriesAreInTheLog(t *testing.T) {
	var lines bytes.Buffer
	l, err := audit.New(kafka.Config{}, slog.New(slog.NewTextHandler(&lines, nil)), noop.NewMeterProvider(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	l.Write(&accessv1.AuditEntry{User: "anna", Method: "m", Code: "OK"})
	if !strings.Contains(lines.String(), "user=anna") {
		t.Errorf("log: %s", lines.String())
	}
	if _, err := audit.NewServer(l).ListAuditEntries(t.Context(), &accessv1.ListAuditEntriesRequest{}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("err = %v", err)
	}
}
