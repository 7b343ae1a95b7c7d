package transform_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func TestSecretsAreKeptAndNotShown(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info")
	client, _, _ := service(t, cfg)
	const secret = "yourpassword"
	text := missionJob(cfg)
	hidden := func(what string, m proto.Message, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if strings.Contains(protojson.Format(m), secret) {
			t.Errorf("the answer of %s shows the password", what)
		}
	}
	created, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "s", Sql: text, Parameters: map[string]string{"my.token": secret}})
	hidden("CreateJob", created, err)
	started, err := client.StartJob(t.Context(), &jobv1.StartJobRequest{Name: "s"})
	hidden("StartJob", started, err)
	got, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "s"})
	hidden("GetJob", got, err)
	list, err := client.ListJobs(t.Context(), &jobv1.ListJobsRequest{})
	hidden("ListJobs", list, err)
	valid, err := client.ValidateJob(t.Context(), &jobv1.ValidateJobRequest{Sql: text})
	hidden("ValidateJob", valid, err)
	broken, err := client.ValidateJob(t.Context(), &jobv1.ValidateJobRequest{Sql: strings.Replace(text, "'connector.password' =", "'connector.password'", 1)})
	hidden("ValidateJob of broken text", broken, err)
	if broken.GetValid() || len(broken.GetProblems()) == 0 {
		t.Error("broken text is valid")
	}
	if want := strings.ReplaceAll(text, secret, "******"); got.GetJob().GetSql() != want {
		t.Errorf("more than the secret is changed:\n%s", got.GetJob().GetSql())
	}
	edited := strings.Replace(got.GetJob().GetSql(), "message,\n", "UPPER(message),\n", 1)
	replaced, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "s", Sql: edited, Parameters: got.GetJob().GetParameters(), Replace: true, Start: true})
	hidden("CreateJob with replace", replaced, err)
	eventually(t, "the indexer to be told", func() bool {
		for _, v := range drain(t, cfg, "weirflow.sinks") {
			var s indexv1.Sink
			if proto.Unmarshal(v, &s) == nil && s.GetEpoch() > started.GetJob().GetEpoch() && s.GetPassword() == secret {
				return true
			}
		}
		return false
	})
	_, err = client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "fresh", Sql: got.GetJob().GetSql()})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "masked") {
		t.Errorf("a new job with stars for a password: %v", err)
	}
	stopped, err := client.StopJob(t.Context(), &jobv1.StopJobRequest{Name: "s"})
	hidden("StopJob", stopped, err)
}

func TestTheSameJobAgainIsNoError(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info")
	client, _, _ := service(t, cfg)
	text := missionJob(cfg)
	create(t, client, "same", text)
	first := reaches(t, client, "same", jobv1.JobState_JOB_STATE_RUNNING)
	again, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "same", Sql: text, Start: true})
	if err != nil || again.GetJob().GetEpoch() != 1 || !again.GetJob().GetStatus().GetStartedAt().AsTime().Equal(first.GetStartedAt().AsTime()) {
		t.Errorf("the same job, running, sent again: %v, %v", again, err)
	}
	if _, err := client.StopJob(t.Context(), &jobv1.StopJobRequest{Name: "same"}); err != nil {
		t.Fatal(err)
	}
	if again, err = client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "same", Sql: text}); err != nil || again.GetJob().GetRunning() {
		t.Errorf("sent again without start: %v, %v", again, err)
	}
	if again, err = client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "same", Sql: text, Start: true}); err != nil || !again.GetJob().GetRunning() {
		t.Errorf("sent again with start: %v, %v", again, err)
	}
	_, err = client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "same", Sql: text + "\n"})
	if status.Code(err) != codes.AlreadyExists {
		t.Errorf("other statements under the same name: %v", err)
	}
}

func TestANewJobDoesNotInheritTheFailureOfADeletedOne(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info", "weirflow.sink-status")
	produce(t, cfg, "topic-app-info", 0, 10)
	client, book, _ := service(t, cfg)
	create(t, client, "twice", missionJob(cfg))
	eventually(t, "the first to run", func() bool { return account(book, "twice").Out == 10 })
	failed, err := proto.Marshal(&indexv1.SinkStatus{Job: "twice", Sink: "es_output", Epoch: 1, State: indexv1.SinkState_SINK_STATE_FAILED, ErrorType: "mapper"})
	if err != nil {
		t.Fatal(err)
	}
	sendKeyed(t, cfg, "weirflow.sink-status", "twice/es_output", failed)
	reaches(t, client, "twice", jobv1.JobState_JOB_STATE_FAILED)
	if _, err := client.DeleteJob(t.Context(), &jobv1.DeleteJobRequest{Name: "twice"}); err != nil {
		t.Fatal(err)
	}
	create(t, client, "twice", missionJob(cfg))
	eventually(t, "the second to run", func() bool { return account(book, "twice").Out == 10 })
	if st := reaches(t, client, "twice", jobv1.JobState_JOB_STATE_RUNNING); st.GetError() != "" {
		t.Errorf("the new job has the error %q", st.GetError())
	}
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestAJobsErrorsDoNotShowSecrets(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	var log lockedBuffer
	client, _ := serviceLogging(t, cfg, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	// librdkafka quotes a value that it does not take.
	create(t, client, "leaky", source(cfg, ",'properties.ssl.key.pem'='no such hunter2 key','properties.security.protocol'='ssl'")+
		sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	var st *jobv1.JobStatus
	eventually(t, "the job to fail", func() bool {
		got, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "leaky"})
		if err != nil {
			t.Fatal(err)
		}
		st = got.GetJob().GetStatus()
		return st.GetError() != ""
	})
	time.Sleep(50 * time.Millisecond)
	for where, text := range map[string]string{"status": fmt.Sprint(st), "log": log.String()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the %s shows the key: %s", where, text)
		}
	}
}
