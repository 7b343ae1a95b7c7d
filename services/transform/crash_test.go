package transform_test

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"

	"github.com/weirflow/weirflow/services/transform"
)

const brokersOfChild = "WEIRFLOW_TEST_BROKERS"

// TestChildProcess is transform in a process of its own, for TestKilled.
func TestChildProcess(t *testing.T) {
	brokers := os.Getenv(brokersOfChild)
	if brokers == "" {
		t.Skip("runs as a child of TestKilled")
	}
	book, err := ledger.NewBook("transform", "child", noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	c := transform.DefaultConfig()
	c.Kafka = kafka.Config{Brokers: strings.Split(brokers, ",")}
	c.CheckpointInterval = 20 * time.Millisecond
	s, err := transform.New(c, transform.Deps{Logger: slog.New(slog.DiscardHandler), Meters: noop.NewMeterProvider(),
		Board: status.New("transform", "child"), Book: book, Instance: "child"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestKilled kills the process of a running job at any moment, again and again:
// nothing is lost, and what is written twice has the same id.
func TestKilled(t *testing.T) {
	const lines, kills = 30_000, 6
	cfg := kafkatest.Start(t, "topic-app-info")
	client, _, stop := service(t, cfg)
	create(t, client, "killed", missionJob(cfg))
	reaches(t, client, "killed", jobv1.JobState_JOB_STATE_RUNNING)
	stop()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range kills {
		produce(t, cfg, "topic-app-info", i*lines/kills, (i+1)*lines/kills)
		child := exec.CommandContext(t.Context(), self, "-test.run=^TestChildProcess$")
		child.Env = append(os.Environ(), brokersOfChild+"="+strings.Join(cfg.Brokers, ","))
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		_, before := documents(t, cfg, "killed")
		eventually(t, "documents of the child", func() bool {
			_, now := documents(t, cfg, "killed")
			return now > before
		})
		time.Sleep(rand.N(40 * time.Millisecond))
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
	}
	_, book, _ := service(t, cfg)
	eventually(t, "all documents", func() bool {
		docs, _ := documents(t, cfg, "killed")
		return len(docs) >= lines
	})
	docs, actions := documents(t, cfg, "killed")
	if len(docs) != lines {
		t.Errorf("%d different documents, want %d", len(docs), lines)
	}
	messages := make(map[string]bool, lines)
	for _, d := range docs {
		messages[d] = true
	}
	if len(messages) != lines {
		t.Errorf("%d different lines among the documents, want %d", len(messages), lines)
	}
	t.Logf("%d actions for %d lines, %d killed processes", actions, lines, kills)
	eventually(t, "nothing to be in flight", func() bool { return account(book, "killed").InFlight == 0 })
	balanced(t, book, "killed")
}
