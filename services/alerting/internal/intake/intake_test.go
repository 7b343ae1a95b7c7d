package intake_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/intake"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/ledger"
)

func produce(t *testing.T, cfg kafka.Config, values ...[]byte) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var r kafka.Records
	for _, v := range values {
		r.Append(0, nil, v)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.Produce(ctx, intake.Topic, &r, func(error, []kafka.Failure) {}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func record(t *testing.T, a *alertv1.Alert) []byte {
	t.Helper()
	b, err := proto.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAlertsOfJobsAreKept has the store of alerts fail at first, a record that is
// none among the others, and a restart, after which nothing is read again.
func TestAlertsOfJobsAreKept(t *testing.T) {
	cfg := kafkatest.Start(t, intake.Topic)
	now := time.UnixMilli(1_700_000_000_000)
	labels := map[string]string{"alertname": "Slow", "host": "web1"}
	produce(t, cfg,
		record(t, &alertv1.Alert{Job: "watch", Labels: labels, Annotations: map[string]string{"summary": "slow"}, StartsAt: timestamppb.New(now.Add(-time.Minute)), ResolveAfter: durationpb.New(time.Hour)}),
		[]byte("none"), record(t, &alertv1.Alert{Job: "watch"}),
		record(t, &alertv1.Alert{Job: "watch", Labels: labels, StartsAt: timestamppb.New(now.Add(time.Hour)), Resolved: true}))
	book, err := ledger.NewBook("alerting", "test", noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var got []*alert.Alert
	fails := 1
	run := func(until func() bool) {
		t.Helper()
		in := intake.New(intake.Config{Kafka: cfg, Group: "g", Link: "http://console"}, intake.Deps{Logger: slog.New(slog.DiscardHandler), Stage: book.Stage("alerts"), Now: func() time.Time { return now },
			Put: func(_ context.Context, alerts ...*alert.Alert) error {
				mu.Lock()
				defer mu.Unlock()
				if fails > 0 {
					fails--
					return errors.New("disk full")
				}
				got = append(got, alerts...)
				return nil
			}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- in.Run(ctx) }()
		for end := time.Now().Add(30 * time.Second); !until() && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	count := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return len(got) >= n }
	}
	run(count(2))
	produce(t, cfg, record(t, &alertv1.Alert{Job: "watch", Labels: map[string]string{"alertname": "Next"}}))
	run(count(3))
	if len(got) != 3 {
		t.Fatalf("%d alerts, want 3", len(got))
	}
	first, end, next := got[0], got[1], got[2]
	if first.Labels["host"] != "web1" || first.Annotations["summary"] != "slow" || !first.StartsAt.Equal(now.Add(-time.Minute)) || !first.EndsAt.Equal(now.Add(time.Hour)) || !first.Timeout || first.GeneratorURL != "http://console/jobs/watch" {
		t.Errorf("first %+v", first)
	}
	if !end.StartsAt.Equal(now) || !end.EndsAt.Equal(now) || end.Timeout {
		t.Errorf("its end %+v", end)
	}
	if next.Labels["alertname"] != "Next" || !next.EndsAt.Equal(now.Add(5*time.Minute)) {
		t.Errorf("next %+v", next)
	}
	if st := book.Stage("alerts").Account(); st.In != 5 || st.Out != 3 || st.Filtered != 2 || st.InFlight != 0 {
		t.Errorf("ledger %v", st)
	}
}
