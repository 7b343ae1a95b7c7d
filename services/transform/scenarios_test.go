package transform_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func create(t *testing.T, client jobv1.JobServiceClient, name, sql string) {
	t.Helper()
	if _, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: name, Sql: sql, Start: true}); err != nil {
		t.Fatal(err)
	}
}

// reaches waits for a state and returns the status.
func reaches(t *testing.T, client jobv1.JobServiceClient, name string, want jobv1.JobState) *jobv1.JobStatus {
	t.Helper()
	var st *jobv1.JobStatus
	eventually(t, fmt.Sprintf("job %q to be %s", name, want), func() bool {
		got, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		st = got.GetJob().GetStatus()
		return st.GetState() == want
	})
	return st
}

func source(cfg kafka.Config, more string) string {
	return fmt.Sprintf("CREATE TABLE src (`@timestamp` STRING, log ROW<`offset` INT, file ROW<path STRING>>, message STRING) WITH ("+
		"'connector'='kafka','topic'='in','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='%s','format'='json'%s);\n",
		strings.Join(cfg.Brokers, ","), more)
}

func sinkTo(cfg kafka.Config, table, topic, columns string) string {
	return fmt.Sprintf("CREATE TABLE %s (%s) WITH ('connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','format'='json');\n",
		table, columns, topic, strings.Join(cfg.Brokers, ","))
}

func TestReplayGivesTheSameIDs(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info")
	produce(t, cfg, "topic-app-info", 0, 300)
	client, book, _ := service(t, cfg)
	create(t, client, "again", missionJob(cfg))
	eventually(t, "the first pass", func() bool { return account(book, "again").Out == 300 })
	if _, err := client.StartJob(t.Context(), &jobv1.StartJobRequest{Name: "again", FromScratch: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second pass", func() bool { return account(book, "again").Out == 600 })
	docs, actions := documents(t, cfg, "again")
	if len(docs) != 300 || actions != 600 {
		t.Errorf("%d different documents in %d actions, want 300 in 600", len(docs), actions)
	}
	balanced(t, book, "again")
}

func TestStatementSetSharesItsScanAndBalances(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "even", "all")
	produce(t, cfg, "in", 0, 100)
	client, book, _ := service(t, cfg)
	create(t, client, "split", source(cfg, "")+sinkTo(cfg, "even", "even", "m STRING")+sinkTo(cfg, "pairs", "all", "m STRING, n INT")+
		"EXECUTE STATEMENT SET BEGIN\n"+
		"INSERT INTO even SELECT message FROM src WHERE log.`offset` < 5000;\n"+
		"INSERT INTO pairs SELECT message, 1 FROM src WHERE log.`offset` < 1000 UNION ALL SELECT message, 2 FROM src WHERE log.`offset` < 1000;\n"+
		"END;")
	eventually(t, "all records accounted for", func() bool {
		a := account(book, "split")
		return a.In == 100 && a.Out == 50 && a.Filtered == 50
	})
	balanced(t, book, "split")
	if n := len(drain(t, cfg, "even")); n != 50 {
		t.Errorf("%d records in the first topic, want 50", n)
	}
	if n := len(drain(t, cfg, "all")); n != 20 {
		t.Errorf("%d records in the second topic, want 20", n)
	}
	if ids := headers(t, cfg, "all"); len(ids) != 20 {
		t.Errorf("%d different event ids among 20 records: rows of one record must have their own", len(ids))
	}
}

// headers returns the different event ids of a topic.
func headers(t *testing.T, cfg kafka.Config, topic string) map[string]bool {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Header: "event-id"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, end, err := c.Bounds(t.Context(), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Assign([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for next := int64(0); next < end; {
		b, err := c.Poll(t.Context(), 1e9)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			continue
		}
		for i := range b.Len() {
			ids[string(b.Record(i).Header)] = true
			next = b.Record(i).Offset + 1
		}
		b.Release()
	}
	return ids
}

func TestBrokenRecord(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 3)
	send(t, cfg, "in", `{"message": broken}`)
	produce(t, cfg, "in", 3, 5)
	client, book, _ := service(t, cfg)

	t.Run("fails the job and says which", func(t *testing.T) {
		create(t, client, "strict", source(cfg, "")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
		st := reaches(t, client, "strict", jobv1.JobState_JOB_STATE_FAILED)
		for _, want := range []string{`topic "in"`, "partition 0", "offset 3", `{"message": broken}`} {
			if !strings.Contains(st.GetError(), want) {
				t.Errorf("error %q does not name %s", st.GetError(), want)
			}
		}
		if st.GetRestarts() != 0 {
			t.Errorf("%d restarts for an error that comes again each time", st.GetRestarts())
		}
	})
	t.Run("is skipped and counted when errors are ignored", func(t *testing.T) {
		create(t, client, "lenient", source(cfg, ",'json.ignore-parse-errors'='true'")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
		eventually(t, "five records out and one filtered", func() bool {
			a := account(book, "lenient")
			return a.In == 6 && a.Out == 5 && a.Filtered == 1
		})
		balanced(t, book, "lenient")
	})
}

func send(t *testing.T, cfg kafka.Config, topic, value string) {
	t.Helper()
	sendMany(t, cfg, topic, value, 1)
}

func sendMany(t *testing.T, cfg kafka.Config, topic, value string, n int) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var r kafka.Records
	for range n {
		r.Append(0, nil, []byte(value))
	}
	_ = p.Produce(t.Context(), topic, &r, func(err error, _ []kafka.Failure) {
		if err != nil {
			t.Error(err)
		}
	})
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestMissingTopicIsWaitedFor(t *testing.T) {
	cfg := kafkatest.Start(t, "out")
	client, book, _ := service(t, cfg)
	create(t, client, "early", source(cfg, "")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	eventually(t, "the status to name the topic", func() bool {
		st := reaches(t, client, "early", jobv1.JobState_JOB_STATE_INITIALIZING)
		return strings.Contains(st.GetError(), "in")
	})
	produce(t, cfg, "in", 0, 10)
	eventually(t, "ten records out", func() bool { return account(book, "early").Out == 10 })
}

func TestSinkFailureFailsTheJobUntilItIsStartedAgain(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info", "weirflow.sink-status")
	produce(t, cfg, "topic-app-info", 0, 5)
	client, book, _ := service(t, cfg)
	create(t, client, "refused", missionJob(cfg))
	eventually(t, "five records out", func() bool { return account(book, "refused").Out == 5 })
	b, err := proto.Marshal(&indexv1.SinkStatus{Job: "refused", Sink: "es_output", Epoch: 1, State: indexv1.SinkState_SINK_STATE_FAILED,
		ErrorType: "mapper_parsing_exception", ErrorMessage: "failed to parse field [num]"})
	if err != nil {
		t.Fatal(err)
	}
	sendKeyed(t, cfg, "weirflow.sink-status", "refused/es_output", b)
	st := reaches(t, client, "refused", jobv1.JobState_JOB_STATE_FAILED)
	if !strings.Contains(st.GetError(), "mapper_parsing_exception") {
		t.Errorf("error %q does not say what the store said", st.GetError())
	}
	j, err := client.StartJob(t.Context(), &jobv1.StartJobRequest{Name: "refused"})
	if err != nil {
		t.Fatal(err)
	}
	if j.GetJob().GetEpoch() != 2 {
		t.Errorf("epoch %d after a second start, want 2", j.GetJob().GetEpoch())
	}
	reaches(t, client, "refused", jobv1.JobState_JOB_STATE_RUNNING)
}

func sendKeyed(t *testing.T, cfg kafka.Config, topic, key string, value []byte) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var r kafka.Records
	r.Append(0, []byte(key), value)
	_ = p.Produce(t.Context(), topic, &r, func(err error, _ []kafka.Failure) {
		if err != nil {
			t.Error(err)
		}
	})
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLifeOfAJob(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	client, book, _ := service(t, cfg)
	ctx := t.Context()
	sql := source(cfg, "") + sinkTo(cfg, "o", "out", "m STRING") + "INSERT INTO o SELECT message FROM src;"
	code := status.Code

	if _, err := client.CreateJob(ctx, &jobv1.CreateJobRequest{Name: "bad name", Sql: sql}); code(err) != codes.InvalidArgument {
		t.Errorf("a bad name: %v", err)
	}
	if _, err := client.CreateJob(ctx, &jobv1.CreateJobRequest{Name: "j", Sql: "INSERT INTO nowhere SELECT 1"}); code(err) != codes.InvalidArgument {
		t.Errorf("bad SQL: %v", err)
	}
	if _, err := client.CreateJob(ctx, &jobv1.CreateJobRequest{Name: "j", Sql: sql}); err != nil {
		t.Fatal(err)
	}
	reaches(t, client, "j", jobv1.JobState_JOB_STATE_CREATED)
	if _, err := client.CreateJob(ctx, &jobv1.CreateJobRequest{Name: "j", Sql: sql}); err != nil {
		t.Errorf("the same job once more: %v", err)
	}
	if _, err := client.CreateJob(ctx, &jobv1.CreateJobRequest{Name: "j", Sql: sql + "-- another"}); code(err) != codes.AlreadyExists {
		t.Errorf("another job of the same name: %v", err)
	}
	if _, err := client.StartJob(ctx, &jobv1.StartJobRequest{Name: "j"}); err != nil {
		t.Fatal(err)
	}
	reaches(t, client, "j", jobv1.JobState_JOB_STATE_RUNNING)
	produce(t, cfg, "in", 0, 10)
	eventually(t, "ten records out", func() bool { return account(book, "j").Out == 10 })
	if _, err := client.StopJob(ctx, &jobv1.StopJobRequest{Name: "j"}); err != nil {
		t.Fatal(err)
	}
	reaches(t, client, "j", jobv1.JobState_JOB_STATE_SUSPENDED)
	produce(t, cfg, "in", 10, 20)
	if _, err := client.StartJob(ctx, &jobv1.StartJobRequest{Name: "j"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ten more records out", func() bool { return account(book, "j").Out == 20 })
	if n := len(drain(t, cfg, "out")); n != 20 {
		t.Errorf("%d records written over a stop and a start, want 20", n)
	}
	if list, err := client.ListJobs(ctx, &jobv1.ListJobsRequest{}); err != nil || len(list.GetJobs()) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	if _, err := client.DeleteJob(ctx, &jobv1.DeleteJobRequest{Name: "j"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetJob(ctx, &jobv1.GetJobRequest{Name: "j"}); code(err) != codes.NotFound {
		t.Errorf("a deleted job: %v", err)
	}
}

func TestBoundedJobFinishes(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 10)
	client, book, _ := service(t, cfg)
	create(t, client, "once", source(cfg, ",'scan.bounded.mode'='latest-offset'")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	reaches(t, client, "once", jobv1.JobState_JOB_STATE_FINISHED)
	if n := len(drain(t, cfg, "out")); n != 10 {
		t.Errorf("%d records written, want 10", n)
	}
	balanced(t, book, "once")
}

func TestValidate(t *testing.T) {
	cfg := kafkatest.Start(t)
	client, _, _ := service(t, cfg)
	tests := map[string]struct {
		sql          string
		line, column int32
		message      string
	}{
		"unknown column":           {source(cfg, "") + sinkTo(cfg, "o", "out", "m STRING") + "INSERT INTO o SELECT mesage FROM src;", 3, 22, "mesage"},
		"unknown option":           {"CREATE TABLE a (m STRING) WITH ('connector'='kafka','topics'='in','properties.bootstrap.servers'='b:1','format'='json');", 1, 14, `did you mean "topic"`},
		"unknown connector":        {"CREATE TABLE a (m STRING) WITH ('connector'='kafak');", 1, 14, "kafak"},
		"nothing is written":       {source(cfg, ""), 0, 0, "writes nothing"},
		"a query":                  {source(cfg, "") + "SELECT message FROM src;", 2, 1, "SELECT"},
		"not supported yet":        {source(cfg, "") + sinkTo(cfg, "o", "out", "m STRING") + "INSERT INTO o SELECT MAX(message) FROM src GROUP BY log.file.path;", 0, 0, ""},
		"update to an append sink": {source(cfg, "") + sinkTo(cfg, "o", "out", "m STRING") + "INSERT INTO o SELECT MAX(message) FROM src;", 0, 0, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := client.ValidateJob(t.Context(), &jobv1.ValidateJobRequest{Sql: tt.sql})
			if err != nil {
				t.Fatal(err)
			}
			if res.GetValid() || len(res.GetProblems()) != 1 {
				t.Fatalf("answer %v, want one problem", res)
			}
			p := res.GetProblems()[0]
			if tt.line > 0 && (p.GetLine() != tt.line || p.GetColumn() != tt.column) || !strings.Contains(p.GetMessage()+p.GetHint(), tt.message) {
				t.Errorf("problem %v, want %q at line %d, column %d", p, tt.message, tt.line, tt.column)
			}
		})
	}
	res, err := client.ValidateJob(t.Context(), &jobv1.ValidateJobRequest{Sql: missionJob(cfg)})
	if err != nil || !res.GetValid() || !strings.Contains(res.GetPlan(), "DataInput") {
		t.Errorf("the mission's job: %v, %v", res, err)
	}
	if strings.Contains(res.GetPlan(), "yourpassword") {
		t.Error("the plan shows the password")
	}
}

func TestUnusualRecords(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info")
	long := strings.Repeat("long ", 1_800_000)
	for _, value := range []string{
		`{"message":"` + long + `","host":{"id":"a"}}`,
		`{"message":"nul \u0000 byte","host":{"id":"b"}}`,
		"{\"message\":\"not \xff\xfe utf-8\",\"host\":{\"id\":\"c\"}}",
		`{"message":"last","host":{"id":"d","ip":"no array"},"log":{"offset":"x"}}`,
		``,
	} {
		send(t, cfg, "topic-app-info", value)
	}
	client, book, _ := service(t, cfg)
	create(t, client, "odd", missionJob(cfg))
	eventually(t, "five records accounted for", func() bool {
		a := account(book, "odd")
		return a.In == 5 && a.InFlight == 0
	})
	docs, _ := documents(t, cfg, "odd")
	var all []string
	for _, doc := range docs {
		all = append(all, doc)
	}
	joined := strings.Join(all, "\n")
	for _, want := range []string{long, `"nul \u0000 byte"`, `"id":"d","ip":null,"path":null,"num":null,"message":"last"`} {
		if !strings.Contains(joined, want) {
			t.Errorf("no document has %.60s", want)
		}
	}
	// Invalid UTF-8 in a field makes that field NULL, as any value that is not of its type.
	if a := account(book, "odd"); a.Out+a.Filtered != 5 || a.Filtered == 0 {
		t.Errorf("account %+v", a)
	}
	balanced(t, book, "odd")
}

func TestBrokerThatIsAwayIsWaitedFor(t *testing.T) {
	cfg := kafkatest.Start(t, "out")
	client, _, _ := service(t, cfg)
	away := kafka.Config{Brokers: []string{"127.0.0.1:1"}}
	create(t, client, "away", source(away, "")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	st := reaches(t, client, "away", jobv1.JobState_JOB_STATE_INITIALIZING)
	eventually(t, "the status to say why", func() bool {
		st = reaches(t, client, "away", jobv1.JobState_JOB_STATE_INITIALIZING)
		return st.GetError() != ""
	})
	if !strings.Contains(st.GetError(), `"src"`) {
		t.Errorf("error %q does not name the table", st.GetError())
	}
	if _, err := client.StopJob(t.Context(), &jobv1.StopJobRequest{Name: "away"}); err != nil {
		t.Fatal(err)
	}
	reaches(t, client, "away", jobv1.JobState_JOB_STATE_SUSPENDED)
}

func TestManyPartitions(t *testing.T) {
	cfg := kafkatest.Start(t)
	log := slog.New(slog.DiscardHandler)
	a, err := kafka.NewAdmin(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for topic, partitions := range map[string]int{"topic-app-info": 4, "weirflow.index.wide": 3} {
		if err := a.EnsureTopic(t.Context(), topic, partitions, nil); err != nil {
			t.Fatal(err)
		}
	}
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var r kafka.Records
	for i := range 2000 {
		r.Append(int32(i%4), nil, event(i)) // without event ids: topic, partition and offset name them
	}
	if err := p.Produce(t.Context(), "topic-app-info", &r, func(err error, _ []kafka.Failure) {
		if err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	client, book, _ := service(t, cfg)
	create(t, client, "wide", missionJob(cfg))
	eventually(t, "all records out", func() bool { return account(book, "wide").Out == 2000 })
	balanced(t, book, "wide")
	if st := reaches(t, client, "wide", jobv1.JobState_JOB_STATE_RUNNING); len(st.GetSources()) != 4 {
		t.Errorf("%d source partitions in the status, want 4", len(st.GetSources()))
	}
	ends, err := a.EndOffsets(t.Context(), "weirflow.index.wide")
	if err != nil {
		t.Fatal(err)
	}
	for part, end := range ends {
		if end == 0 {
			t.Errorf("partition %d of the documents is empty", part)
		}
	}
	if len(ends) != 3 {
		t.Errorf("documents went to %d partitions, want the 3 that were there", len(ends))
	}
}
