package transform_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func letters(t *testing.T, cfg kafka.Config, topic string) []*deadletterv1.DeadLetter {
	t.Helper()
	var all []*deadletterv1.DeadLetter
	for _, v := range drain(t, cfg, topic) {
		l := &deadletterv1.DeadLetter{}
		if err := proto.Unmarshal(v, l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func newTopic(t *testing.T, cfg kafka.Config, topic string) {
	t.Helper()
	admin, err := kafka.NewAdmin(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.EnsureTopic(t.Context(), topic, 1, nil); err != nil {
		t.Fatal(err)
	}
}

func TestErrorHandling(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 3)
	send(t, cfg, "in", `{"message": broken}`)
	send(t, cfg, "in", `{"message": "x", "log": 7}`)
	produce(t, cfg, "in", 3, 5)
	client, book, _ := service(t, cfg)
	job := func(t *testing.T, name, more string) {
		t.Helper()
		create(t, client, name, source(cfg, more)+sinkTo(cfg, "o", "out", "m STRING, n INT")+"INSERT INTO o SELECT message, log.`offset` FROM src;")
	}

	t.Run("dlq keeps the record as it was", func(t *testing.T) {
		job(t, "keeps", ",'error-handling.mode'='dlq'")
		eventually(t, "two dead letters", func() bool {
			a := account(book, "keeps")
			return a.In == 7 && a.Out == 5 && a.DeadLettered == 2
		})
		balanced(t, book, "keeps")
		got := letters(t, cfg, "weirflow.deadletters.keeps")
		if len(got) != 2 {
			t.Fatalf("%d letters, want 2", len(got))
		}
		l := got[0]
		if string(l.GetRawPayload()) != `{"message": broken}` || l.GetSourceTable() != "src" || l.GetErrorType() != "parse_error" || l.GetErrorMessage() == "" ||
			l.GetTopic() != "in" || l.GetPartition() != 0 || l.GetOffset() != 3 || l.GetJob() != "keeps" || l.GetStage() != "transform" || !l.GetIngestionTs().IsValid() {
			t.Errorf("letter %v", l)
		}
		if ids := headers(t, cfg, "weirflow.deadletters.keeps"); !ids["in-0-3"] || !ids["in-0-4"] {
			t.Errorf("event ids %v", ids)
		}
	})
	t.Run("dlq into a topic of one's own", func(t *testing.T) {
		job(t, "elsewhere", ",'error-handling.mode'='dlq','error-handling.dlq.table'='my-letters'")
		eventually(t, "two dead letters", func() bool { return account(book, "elsewhere").DeadLettered == 2 })
		if got := letters(t, cfg, "my-letters"); len(got) != 2 {
			t.Errorf("%d letters, want 2", len(got))
		}
	})
	t.Run("log skips and counts", func(t *testing.T) {
		job(t, "logs", ",'error-handling.mode'='log'")
		eventually(t, "all accounted for", func() bool {
			a := account(book, "logs")
			return a.In == 7 && a.Out == 5 && a.Filtered == 2
		})
		balanced(t, book, "logs")
	})
	t.Run("fail-after goes on below the ratio and ends above it", func(t *testing.T) {
		job(t, "patient", ",'error-handling.mode'='fail-after','error-handling.fail-after.ratio'='0.5','error-handling.fail-after.window'='1 h'")
		eventually(t, "two dead letters", func() bool { return account(book, "patient").DeadLettered == 2 })
		sendMany(t, cfg, "in", "garbage", 150)
		st := reaches(t, client, "patient", jobv1.JobState_JOB_STATE_FAILED)
		if !strings.Contains(st.GetError(), "error-handling.fail-after.ratio") {
			t.Errorf("error %q", st.GetError())
		}
		balanced(t, book, "patient")
	})
	t.Run("fail-after counts anew in each window", func(t *testing.T) {
		newTopic(t, cfg, "fresh")
		sendMany(t, cfg, "fresh", `{"message":"fine"}`, 100)
		create(t, client, "anew", strings.Replace(source(cfg, ",'error-handling.mode'='fail-after','error-handling.fail-after.ratio'='0.5','error-handling.fail-after.window'='200 ms'"), "'in'", "'fresh'", 1)+
			sinkTo(cfg, "o", "out", "m STRING, n INT")+"INSERT INTO o SELECT message, log.`offset` FROM src;")
		eventually(t, "the first window", func() bool { return account(book, "anew").Out == 100 })
		time.Sleep(250 * time.Millisecond) // the window passes
		send(t, cfg, "fresh", `{"message":"the next begins"}`)
		eventually(t, "the next window", func() bool { return account(book, "anew").Out == 101 })
		sendMany(t, cfg, "fresh", "garbage", 99) // fewer than half of all, more than half of the window
		sendMany(t, cfg, "fresh", `{"message":"fine"}`, 60)
		st := reaches(t, client, "anew", jobv1.JobState_JOB_STATE_FAILED)
		if !strings.Contains(st.GetError(), "error-handling.fail-after.ratio") {
			t.Errorf("error %q", st.GetError())
		}
		balanced(t, book, "anew")
	})
	t.Run("off fails the job", func(t *testing.T) {
		job(t, "strict", "")
		st := reaches(t, client, "strict", jobv1.JobState_JOB_STATE_FAILED)
		if !strings.Contains(st.GetError(), "partition 0, offset 3") {
			t.Errorf("error %q", st.GetError())
		}
		balanced(t, book, "strict")
	})
	t.Run("options that do not fit", func(t *testing.T) {
		for options, want := range map[string]string{
			",'error-handling.mode'='dlg'":                                               `did you mean "dlq"`,
			",'error-handling.mode'='dlq','json.ignore-parse-errors'='true'":             "nothing to handle",
			",'error-handling.dlq.table'='x'":                                            "needs 'error-handling.mode'",
			",'error-handling.mode'='fail-after','error-handling.fail-after.ratio'='2'":  "a number from 0",
			",'error-handling.mode'='fail-after','error-handling.fail-after.window'='0'": "longer than 0",
		} {
			res, err := client.ValidateJob(t.Context(), &jobv1.ValidateJobRequest{Sql: source(cfg, options) + sinkTo(cfg, "o", "out", "m STRING") + "INSERT INTO o SELECT message FROM src;"})
			if err != nil || res.GetValid() || !strings.Contains(res.GetProblems()[0].GetMessage(), want) || res.GetProblems()[0].GetLine() == 0 {
				t.Errorf("%s: %v, %v; want a problem about %s", options, res, err, want)
			}
		}
	})
}
