package transform_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// box is the dead letters of a job, as the API shows them.
type box struct {
	t      *testing.T
	client deadletterv1.DeadLetterServiceClient
	job    string
}

func boxOf(t *testing.T, client jobv1.JobServiceClient, job string) *box {
	t.Helper()
	c, ok := client.(connected)
	if !ok {
		t.Fatal("not a client of start")
	}
	return &box{t, deadletterv1.NewDeadLetterServiceClient(c.conn), job}
}

// list returns all letters that a request finds, page by page.
func (b *box) list(req *deadletterv1.ListDeadLettersRequest) []*deadletterv1.Letter {
	b.t.Helper()
	var all []*deadletterv1.Letter
	req.Job = b.job
	for {
		res, err := b.client.ListDeadLetters(b.t.Context(), req)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, res.GetLetters()...)
		if req.PageToken = res.GetNextPageToken(); req.GetPageToken() == "" {
			return all
		}
	}
}

func (b *box) ids(req *deadletterv1.ListDeadLettersRequest) string {
	b.t.Helper()
	var ids []string
	for _, l := range b.list(req) {
		ids = append(ids, l.GetId())
	}
	return strings.Join(ids, " ")
}

func (b *box) counts() string {
	b.t.Helper()
	c, err := b.client.CountDeadLetters(b.t.Context(), &deadletterv1.CountDeadLettersRequest{Job: b.job})
	if err != nil {
		b.t.Fatal(err)
	}
	return fmt.Sprintf("%d open, %d replayed, %d discarded", c.GetOpen(), c.GetReplayed(), c.GetDiscarded())
}

func (b *box) replay(req *deadletterv1.ReplayDeadLettersRequest) *deadletterv1.ReplayDeadLettersResponse {
	b.t.Helper()
	req.Job = b.job
	res, err := b.client.ReplayDeadLetters(b.t.Context(), req)
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

const (
	isOpen      = deadletterv1.DeadLetterState_DEAD_LETTER_STATE_OPEN
	isReplayed  = deadletterv1.DeadLetterState_DEAD_LETTER_STATE_REPLAYED
	isDiscarded = deadletterv1.DeadLetterState_DEAD_LETTER_STATE_DISCARDED
)

func write(t *testing.T, cfg kafka.Config, topic string, r *kafka.Records) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	answer := make(chan error, 1)
	_ = p.Produce(t.Context(), topic, r, func(err error, _ []kafka.Failure) { answer <- err })
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
}

// values returns the values of a topic as text.
func values(t *testing.T, cfg kafka.Config, topic string) []string {
	t.Helper()
	var all []string
	for _, v := range drain(t, cfg, topic) {
		all = append(all, string(v))
	}
	return all
}

// TestReplayIntoTheJob lists what was broken, mends and replays it: the rows are
// those that the records would have given, and nobody else sees them.
func TestReplayIntoTheJob(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	var r kafka.Records
	r.Append(0, []byte("k0"), []byte(`{"message":"fine"}`))
	r.Append(0, []byte("k1"), []byte(`{"message": broken`), kafka.Header{Key: "event-id", Value: []byte("agent-7")}, kafka.Header{Key: "color", Value: []byte("blue")})
	r.SetTime(1700000000123)
	r.Append(0, nil, []byte(`{"message": 日本 broken too`))
	r.Append(0, nil, []byte(`not JSON at all`))
	write(t, cfg, "in", &r)
	client, book, stop := service(t, cfg)
	table := fmt.Sprintf("CREATE TABLE src (message STRING, `at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', p INT METADATA FROM 'partition', o BIGINT METADATA FROM 'offset', t STRING METADATA FROM 'topic', h MAP<STRING,BYTES> METADATA FROM 'headers', k STRING)"+
		" WITH ('connector'='kafka','topic'='in','properties.bootstrap.servers'='%s','scan.startup.mode'='earliest-offset','value.format'='json','key.format'='raw','key.fields'='k','value.fields-include'='EXCEPT_KEY','error-handling.mode'='dlq');\n", cfg.Brokers[0])
	create(t, client, "mend", table+sinkTo(cfg, "o", "out", "m STRING, ms BIGINT, p INT, o BIGINT, t STRING, color STRING, k STRING")+
		"INSERT INTO o SELECT message, UNIX_TIMESTAMP(CAST(`at` AS STRING)), p, o, t, CAST(h['color'] AS STRING), k FROM src;")
	eventually(t, "three letters", func() bool { return account(book, "mend").DeadLettered == 3 })
	b := boxOf(t, client, "mend")

	if got := b.ids(&deadletterv1.ListDeadLettersRequest{PageSize: 2}); got != "0-2 0-1 0-0" {
		t.Errorf("letters %s, newest first", got)
	}
	for _, c := range []struct {
		name string
		req  *deadletterv1.ListDeadLettersRequest
		want string
	}{
		{"text of the payload", &deadletterv1.ListDeadLettersRequest{Text: "日本"}, "0-1"},
		{"text in another case", &deadletterv1.ListDeadLettersRequest{Text: "BROKEN", PageSize: 1}, "0-1 0-0"},
		{"kind", &deadletterv1.ListDeadLettersRequest{ErrorType: "parse_error", SourceTable: "src", Stage: "transform", State: isOpen}, "0-2 0-1 0-0"},
		{"another kind", &deadletterv1.ListDeadLettersRequest{ErrorType: "late"}, ""},
		{"another stage", &deadletterv1.ListDeadLettersRequest{Stage: "indexer"}, ""},
		{"before", &deadletterv1.ListDeadLettersRequest{To: timestamppb.New(time.Now().Add(-time.Hour))}, ""},
		{"since", &deadletterv1.ListDeadLettersRequest{From: timestamppb.New(time.Now().Add(-time.Hour))}, "0-2 0-1 0-0"},
		{"state", &deadletterv1.ListDeadLettersRequest{State: isReplayed}, ""},
	} {
		if got := b.ids(c.req); got != c.want {
			t.Errorf("%s: letters %q, want %q", c.name, got, c.want)
		}
	}
	got, err := b.client.GetDeadLetter(t.Context(), &deadletterv1.GetDeadLetterRequest{Job: "mend", Id: "0-0"})
	if err != nil {
		t.Fatal(err)
	}
	l := got.GetLetter().GetLetter()
	if got.GetLetter().GetText() != `{"message": broken` || string(l.GetKey()) != "k1" || l.GetEventId() != "agent-7" || l.GetTimestampMillis() != 1700000000123 ||
		len(l.GetHeaders()) != 2 || l.GetInput() != "src" || l.GetOffset() != 1 {
		t.Errorf("letter %v", got)
	}

	res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{"0-0"}, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: `{"message":"mended"}`}})
	if res.GetReplayed() != 1 || res.GetFailed() != 0 {
		t.Errorf("answer %v", res)
	}
	eventually(t, "the mended row", func() bool { return account(book, "mend").Out == 2 })
	want := `{"m":"mended","ms":1700000000,"p":0,"o":1,"t":"in","color":"blue","k":"k1"}`
	if rows := values(t, cfg, "out"); len(rows) != 2 || rows[1] != want {
		t.Errorf("rows %v, want %s", rows, want)
	}
	if ids := headers(t, cfg, "out"); !ids["agent-7/0"] {
		t.Errorf("event ids %v", ids)
	}
	if n := len(drain(t, cfg, "in")); n != 4 {
		t.Errorf("the source's topic has %d records, want 4", n)
	}
	if a := account(book, "mend"); a.In != 5 || a.DeadLettered != 3 || a.Out != 2 {
		t.Errorf("account %+v: what was replayed came in once more", a)
	}
	balanced(t, book, "mend")

	// What fails again is a new letter that names the one it was.
	if res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Filter: &deadletterv1.LetterFilter{Text: "日本"}}); res.GetReplayed() != 1 {
		t.Errorf("answer %v", res)
	}
	eventually(t, "a new letter", func() bool { return account(book, "mend").DeadLettered == 4 })
	newest := b.list(&deadletterv1.ListDeadLettersRequest{State: isOpen})[0]
	if newest.GetLetter().GetReplayOf() != "0-1" || newest.GetLetter().GetOffset() != 2 || newest.GetLetter().GetTopic() != "in" || newest.GetLetter().GetEventId() != "in-0-2" {
		t.Errorf("letter %v", newest)
	}
	d, err := b.client.DiscardDeadLetters(t.Context(), &deadletterv1.DiscardDeadLettersRequest{Job: "mend", Ids: []string{"0-2", "0-999"}})
	if err != nil || d.GetDiscarded() != 1 || d.GetFailed() != 1 || len(d.GetProblems()) != 1 || d.GetProblems()[0].GetId() != "0-999" {
		t.Errorf("answer %v, %v", d, err)
	}
	const after = "1 open, 2 replayed, 1 discarded"
	if got := b.counts(); got != after {
		t.Errorf("%s, want %s", got, after)
	}
	if res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{"0-0", "0-2"}}); res.GetReplayed() != 0 || res.GetSkipped() != 2 {
		t.Errorf("answer %v: neither is open", res)
	}

	// All of it is known after a restart, and nothing is replayed again.
	stop()
	client, book, _ = service(t, cfg)
	b = boxOf(t, client, "mend")
	if got := b.counts(); got != after {
		t.Errorf("after a restart %s, want %s", got, after)
	}
	res = b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{"0-0"}, Again: true, Mended: &deadletterv1.ReplayDeadLettersRequest_Payload{Payload: []byte(`{"message":"again"}`)}})
	if res.GetReplayed() != 1 {
		t.Errorf("answer %v", res)
	}
	eventually(t, "the row again", func() bool { return account(book, "mend").Out == 1 })
	if rows := values(t, cfg, "out"); len(rows) != 3 || !strings.Contains(rows[2], `"m":"again"`) {
		t.Errorf("rows %v", rows)
	}
	if ids := headers(t, cfg, "out"); len(ids) != 2 {
		t.Errorf("event ids %v: a replay gives the same", ids)
	}
	balanced(t, book, "mend")
}

// TestReplayOfLateRows has late rows come again: to a job with windows they are
// late again and never move its time.
func TestReplayOfLateRows(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	for _, at := range []string{"00:00:01", "00:05:00"} {
		send(t, cfg, "in", `{"ts":"2026-01-01 `+at+`.000"}`)
	}
	client, book, _ := service(t, cfg)
	create(t, client, "windows", fmt.Sprintf(`CREATE TABLE src (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector'='kafka','topic'='in',
		'properties.bootstrap.servers'='%s','scan.startup.mode'='earliest-offset','format'='json','error-handling.mode'='dlq');
		`, cfg.Brokers[0])+sinkTo(cfg, "o", "out", "n BIGINT")+
		"INSERT INTO o SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;")
	eventually(t, "the first rows are read", func() bool { return account(book, "windows").In == 2 })
	send(t, cfg, "in", `{"ts":"2026-01-01 00:00:02.000"}`)
	send(t, cfg, "in", `{"ts":"2026-01-01 broken"}`)
	eventually(t, "two letters", func() bool { return account(book, "windows").DeadLettered == 2 })
	b := boxOf(t, client, "windows")
	res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Filter: &deadletterv1.LetterFilter{ErrorType: "late"}})
	if res.GetReplayed() != 1 || len(res.GetNotes()) != 1 || !strings.Contains(res.GetNotes()[0], "too late") {
		t.Errorf("answer %v", res)
	}
	eventually(t, "it is late again", func() bool { return account(book, "windows").DeadLettered == 3 })
	got := b.list(&deadletterv1.ListDeadLettersRequest{ErrorType: "late", State: isOpen})
	if len(got) != 1 || got[0].GetLetter().GetReplayOf() != "0-0" {
		t.Errorf("letters %v", got)
	}

	// A mended row far ahead is counted in its window, and closes none.
	broken := b.list(&deadletterv1.ListDeadLettersRequest{ErrorType: "parse_error"})
	res = b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{broken[0].GetId()}, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: `{"ts":"2026-01-01 00:09:00.000"}`}})
	if res.GetReplayed() != 1 {
		t.Errorf("answer %v", res)
	}
	eventually(t, "the row is in", func() bool { return account(book, "windows").In == 6 && account(book, "windows").InFlight == 0 })
	send(t, cfg, "in", `{"ts":"2026-01-01 00:05:30.000"}`) // it would be late, had time moved
	send(t, cfg, "in", `{"ts":"2026-01-01 00:20:00.000"}`)
	eventually(t, "three windows", func() bool { return len(drain(t, cfg, "out")) == 3 })
	if rows := values(t, cfg, "out"); !slices.Equal(rows, []string{`{"n":1}`, `{"n":2}`, `{"n":1}`}) {
		t.Errorf("windows %v", rows)
	}
	eventually(t, "all is settled", func() bool { return account(book, "windows").InFlight == 0 })
	balanced(t, book, "windows")
	st, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "windows"})
	if err != nil || len(st.GetJob().GetStatus().GetSources()) != 1 {
		t.Errorf("%v, %v: replays are no partition of the table", st.GetJob().GetStatus().GetSources(), err)
	}
}

// TestReplaysOutliveTheirWriter has a process die between the replay and the note
// that it was made: the letter is replayed, and only once.
func TestReplaysOutliveTheirWriter(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	for i := range 3 {
		send(t, cfg, "in", fmt.Sprintf("broken %d", i))
	}
	client, book, _ := service(t, cfg)
	create(t, client, "dies", source(cfg, ",'error-handling.mode'='dlq'")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	eventually(t, "three letters", func() bool { return account(book, "dies").DeadLettered == 3 })
	l := letters(t, cfg, "weirflow.deadletters.dies")[1]
	l.ReplayOf, l.RawPayload = "0-1", []byte(`{"message":"mended"}`)
	v, err := proto.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	newTopic(t, cfg, "weirflow.replay.dies")
	var r kafka.Records
	r.Append(0, []byte("0-1"), v)
	write(t, cfg, "weirflow.replay.dies", &r)
	b := boxOf(t, client, "dies")
	if got := b.ids(&deadletterv1.ListDeadLettersRequest{State: isOpen}); got != "0-2 0-0" {
		t.Errorf("open letters %s", got)
	}
	eventually(t, "the row", func() bool { return account(book, "dies").Out == 1 })
	if res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Filter: &deadletterv1.LetterFilter{}}); res.GetReplayed() != 2 {
		t.Errorf("answer %v, want the two that are left", res)
	}
	eventually(t, "they fail again", func() bool { return account(book, "dies").DeadLettered == 5 })
	if got := b.counts(); got != "2 open, 3 replayed, 0 discarded" {
		t.Error(got)
	}

	// A start from scratch reads the table again, not what was replayed into it. What
	// cannot be read is set aside again, and is no second letter while it waits.
	if _, err := client.StartJob(t.Context(), &jobv1.StartJobRequest{Name: "dies", FromScratch: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the broken ones again", func() bool { return account(book, "dies").DeadLettered == 8 })
	if a := account(book, "dies"); a.In != 9 || a.Out != 1 {
		t.Errorf("account %+v: nothing is replayed into a job from scratch", a)
	}
	balanced(t, book, "dies")
	if got := b.counts(); got != "5 open, 3 replayed, 0 discarded" {
		t.Error(got)
	}
	if _, err := client.StartJob(t.Context(), &jobv1.StartJobRequest{Name: "dies", FromScratch: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the broken ones once more", func() bool { return account(book, "dies").DeadLettered == 11 })
	if got := b.counts(); got != "5 open, 3 replayed, 0 discarded" {
		t.Errorf("%s: the same event twice is one letter", got)
	}
}

// TestDiscardedReplayIsTakenBack has a replay end the job, which can be started
// again once the letter is discarded.
func TestDiscardedReplayIsTakenBack(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	send(t, cfg, "in", "broken")
	client, book, _ := service(t, cfg)
	create(t, client, "poisoned", source(cfg, ",'error-handling.mode'='dlq'")+sinkTo(cfg, "o", "out", "n INT")+"INSERT INTO o SELECT CAST(message AS INT) FROM src;")
	eventually(t, "a letter", func() bool { return account(book, "poisoned").DeadLettered == 1 })
	b := boxOf(t, client, "poisoned")
	b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{"0-0"}, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: `{"message":"no number"}`}})
	st := reaches(t, client, "poisoned", jobv1.JobState_JOB_STATE_FAILED)
	if !strings.Contains(st.GetError(), "replayed from dead letter 0-0") {
		t.Errorf("error %q does not name the letter", st.GetError())
	}
	if d, err := b.client.DiscardDeadLetters(t.Context(), &deadletterv1.DiscardDeadLettersRequest{Job: "poisoned", Ids: []string{"0-0"}}); err != nil || d.GetDiscarded() != 1 {
		t.Fatalf("answer %v, %v", d, err)
	}
	if _, err := client.StartJob(t.Context(), &jobv1.StartJobRequest{Name: "poisoned"}); err != nil {
		t.Fatal(err)
	}
	send(t, cfg, "in", `{"message":"7"}`)
	eventually(t, "the job goes on", func() bool { return slices.Equal(values(t, cfg, "out"), []string{`{"n":7}`}) })
	eventually(t, "all is settled", func() bool { return account(book, "poisoned").InFlight == 0 })
	balanced(t, book, "poisoned")
}

// TestDiscardedLettersAreReplayed replays letters that were discarded, while the
// job runs: it asks what became of each as soon as it reads it.
func TestDiscardedLettersAreReplayed(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	const n = 8
	sendMany(t, cfg, "in", "broken", n)
	client, book, _ := service(t, cfg)
	create(t, client, "again", source(cfg, ",'error-handling.mode'='dlq'")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	eventually(t, "letters", func() bool { return account(book, "again").DeadLettered == n })
	b := boxOf(t, client, "again")
	d, err := b.client.DiscardDeadLetters(t.Context(), &deadletterv1.DiscardDeadLettersRequest{Job: "again", Filter: &deadletterv1.LetterFilter{}})
	if err != nil || d.GetDiscarded() != n {
		t.Fatalf("answer %v, %v", d, err)
	}
	for i := range n {
		b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{fmt.Sprint("0-", i)}, Again: true, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: `{"message":"mended"}`}})
		eventually(t, fmt.Sprintf("row %d", i), func() bool { return account(book, "again").Out == uint64(i+1) })
	}
	if got := b.counts(); got != "0 open, 8 replayed, 0 discarded" {
		t.Error(got)
	}
	balanced(t, book, "again")
}

// TestReplayWaitsForTheJob replays into a job that does not run.
func TestReplayWaitsForTheJob(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	sendMany(t, cfg, "in", "broken", 2500)
	client, book, stop := service(t, cfg)
	create(t, client, "waits", source(cfg, ",'error-handling.mode'='dlq'")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	eventually(t, "letters", func() bool { return account(book, "waits").DeadLettered == 2500 })
	if _, err := client.StopJob(t.Context(), &jobv1.StopJobRequest{Name: "waits"}); err != nil {
		t.Fatal(err)
	}
	b := boxOf(t, client, "waits")
	res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Filter: &deadletterv1.LetterFilter{}})
	if res.GetReplayed() != 2500 || len(res.GetNotes()) != 1 || !strings.Contains(res.GetNotes()[0], "does not run") {
		t.Errorf("answer %v", res)
	}
	stop()
	client, book, _ = service(t, cfg)
	if _, err := client.StartJob(t.Context(), &jobv1.StartJobRequest{Name: "waits"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "they fail again", func() bool { return account(book, "waits").DeadLettered == 2500 })
	b = boxOf(t, client, "waits")
	if got := b.counts(); got != "2500 open, 2500 replayed, 0 discarded" {
		t.Error(got)
	}
	if got := b.list(&deadletterv1.ListDeadLettersRequest{State: isOpen, PageSize: 1000}); len(got) != 2500 {
		t.Errorf("%d letters listed", len(got))
	}
	balanced(t, book, "waits")
	if _, err := client.DeleteJob(t.Context(), &jobv1.DeleteJobRequest{Name: "waits"}); err != nil {
		t.Fatal(err)
	}
	if got := b.counts(); got != "2500 open, 2500 replayed, 0 discarded" {
		t.Errorf("%s: letters outlive their job", got)
	}
	_, err := b.client.ReplayDeadLetters(t.Context(), &deadletterv1.ReplayDeadLettersRequest{Job: "waits", Filter: &deadletterv1.LetterFilter{}})
	if status.Code(err) != codes.NotFound {
		t.Errorf("replay into a deleted job: %v", err)
	}

	// A new job of the name can take them; what was replayed into the old one is gone.
	create(t, client, "waits", strings.Replace(source(cfg, ",'error-handling.mode'='dlq'"), "earliest", "latest", 1)+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	reaches(t, client, "waits", jobv1.JobState_JOB_STATE_RUNNING)
	newest := b.list(&deadletterv1.ListDeadLettersRequest{State: isOpen, PageSize: 1000})[0].GetId()
	if res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{newest}, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: `{"message":"mended"}`}}); res.GetReplayed() != 1 {
		t.Errorf("answer %v", res)
	}
	eventually(t, "the row", func() bool { return account(book, "waits").Out == 1 })
	if a := account(book, "waits"); a.In != 1 {
		t.Errorf("account %+v of the new job", a)
	}
}

// TestReplayOfDocuments replays what a store refused.
func TestReplayOfDocuments(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	client, book, _ := service(t, cfg)
	create(t, client, "docs", source(cfg, "")+"CREATE TABLE es (id INT, m STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector'='elasticsearch-7','hosts'='http://127.0.0.1:1','index'='i');\n"+
		"INSERT INTO es SELECT log.`offset`, message FROM src;")
	produce(t, cfg, "in", 0, 1)
	eventually(t, "a document", func() bool { return account(book, "docs").Out == 1 })
	aside := func(payload string) {
		v, err := proto.Marshal(&deadletterv1.DeadLetter{RawPayload: []byte(payload), SourceTable: "es", ErrorType: "mapper_parsing_exception", ErrorMessage: "no number",
			IngestionTs: timestamppb.Now(), Job: "docs", Stage: "indexer", Partition: -1, Offset: -1})
		if err != nil {
			t.Fatal(err)
		}
		var r kafka.Records
		r.Append(0, nil, v)
		write(t, cfg, "weirflow.deadletters.docs", &r)
	}
	aside(`{"index":{"_index":"i","_id":"7"}}` + "\n" + `{"id":7,"m":"x"}` + "\n")
	aside(`{"index":{"_index":"i","_id":"8"}}` + "\n" + `{"id":8,"m":"y"}` + "\n")
	b := boxOf(t, client, "docs")
	if got := b.ids(&deadletterv1.ListDeadLettersRequest{Stage: "indexer"}); got != "0-1 0-0" {
		t.Fatalf("letters %s", got)
	}
	res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{"0-0"}, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: `{"index":{"_index":"i","_id":"9"}}` + "\n{}\n"}})
	if res.GetReplayed() != 0 || res.GetFailed() != 1 || !strings.Contains(res.GetProblems()[0].GetMessage(), `"9"`) {
		t.Errorf("answer %v", res)
	}
	res = b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{"0-0"}, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: "{\n  \"id\": 7, \"m\": \"mended\"\n}"}})
	if res.GetReplayed() != 1 {
		t.Errorf("answer %v", res)
	}
	if res = b.replay(&deadletterv1.ReplayDeadLettersRequest{Filter: &deadletterv1.LetterFilter{SourceTable: "es"}}); res.GetReplayed() != 1 {
		t.Errorf("answer %v", res)
	}
	docs, _ := documents(t, cfg, "docs")
	if docs[`{"index":{"_index":"i","_id":"7"}}`] != `{"id":7,"m":"mended"}`+"\n" || docs[`{"index":{"_index":"i","_id":"8"}}`] != `{"id":8,"m":"y"}`+"\n" {
		t.Errorf("documents %v", docs)
	}
	var of []string
	for _, v := range drain(t, cfg, "weirflow.index.docs") {
		var batch indexv1.IndexBatch
		if err := proto.Unmarshal(v, &batch); err != nil {
			t.Fatal(err)
		}
		of = append(of, batch.GetReplayOf())
	}
	if !slices.Equal(of, []string{"", "0-0", "0-1"}) {
		t.Errorf("replays of %q", of)
	}
	if got := b.counts(); got != "0 open, 2 replayed, 0 discarded" {
		t.Error(got)
	}
}

func TestDeadLetterRequests(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	client, _, _ := service(t, cfg)
	create(t, client, "job", source(cfg, ",'error-handling.mode'='dlq'")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;")
	send(t, cfg, "in", "broken")
	b := boxOf(t, client, "job")
	eventually(t, "a letter", func() bool { return b.counts() == "1 open, 0 replayed, 0 discarded" })
	list := func(ctx context.Context, job, token string) error {
		_, err := b.client.ListDeadLetters(ctx, &deadletterv1.ListDeadLettersRequest{Job: job, PageToken: token})
		return err
	}
	replay := func(req *deadletterv1.ReplayDeadLettersRequest) error {
		_, err := b.client.ReplayDeadLetters(t.Context(), req)
		return err
	}
	_, noLetter := b.client.GetDeadLetter(t.Context(), &deadletterv1.GetDeadLetterRequest{Job: "job", Id: "0-5"})
	_, badID := b.client.GetDeadLetter(t.Context(), &deadletterv1.GetDeadLetterRequest{Job: "job", Id: "x"})
	for _, c := range []struct {
		name string
		err  error
		want codes.Code
	}{
		{"unknown job", list(t.Context(), "nope", ""), codes.NotFound},
		{"no job", list(t.Context(), "", ""), codes.InvalidArgument},
		{"bad page token", list(t.Context(), "job", "x"), codes.InvalidArgument},
		{"unknown letter", noLetter, codes.NotFound},
		{"bad id", badID, codes.InvalidArgument},
		{"nothing chosen", replay(&deadletterv1.ReplayDeadLettersRequest{Job: "job"}), codes.InvalidArgument},
		{"chosen in two ways", replay(&deadletterv1.ReplayDeadLettersRequest{Job: "job", Ids: []string{"0-0"}, Filter: &deadletterv1.LetterFilter{}}), codes.InvalidArgument},
		{"mended without an id", replay(&deadletterv1.ReplayDeadLettersRequest{Job: "job", Filter: &deadletterv1.LetterFilter{}, Mended: &deadletterv1.ReplayDeadLettersRequest_Text{Text: "x"}}), codes.InvalidArgument},
		{"a state that there is not", replay(&deadletterv1.ReplayDeadLettersRequest{Job: "job", Filter: &deadletterv1.LetterFilter{State: 9}}), codes.InvalidArgument},
	} {
		if status.Code(c.err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, c.err, c.want)
		}
	}
	if _, err := b.client.DiscardDeadLetters(t.Context(), &deadletterv1.DiscardDeadLettersRequest{Job: "job", Filter: &deadletterv1.LetterFilter{Text: "brok"}}); err != nil {
		t.Error(err)
	}
	if got := b.ids(&deadletterv1.ListDeadLettersRequest{State: isDiscarded}); got != "0-0" {
		t.Errorf("discarded %q", got)
	}
	// Letters of a table that the job no longer reads have nowhere to go.
	_, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "job", Replace: true, Start: true,
		Sql: strings.ReplaceAll(source(cfg, "")+sinkTo(cfg, "o", "out", "m STRING")+"INSERT INTO o SELECT message FROM src;", "src", "other")})
	if err != nil {
		t.Fatal(err)
	}
	res := b.replay(&deadletterv1.ReplayDeadLettersRequest{Ids: []string{"0-0"}, Again: true})
	if res.GetReplayed() != 0 || res.GetFailed() != 1 || !strings.Contains(res.GetProblems()[0].GetMessage(), "no longer reads") {
		t.Errorf("answer %v", res)
	}
}
