//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// flow is a job with state, its topics, and what feeds them.
type flow struct {
	s      *site
	id     string
	cfg    kafka.Config
	clicks [3][]string // by partition
	orders []string
	rnd    *rand.Rand

	producer *kafka.Producer
	// once says that windows and sessions are written in transactions, fenced that the
	// rows which take the place of others are.
	once, fenced bool
}

const (
	clickParts = 3
	steps      = 20
	flowDelay  = 2000 // milliseconds that an event may be behind those before it
)

func newFlow(s *site, events int) *flow {
	f := &flow{s: s, id: s.index, cfg: kafka.Config{Brokers: []string{s.brokers}}, rnd: rand.New(rand.NewPCG(7, 11))}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	for i := range events {
		at := start + int64(i)*20 - f.rnd.Int64N(flowDelay)
		user := f.rnd.IntN(events/40 + 1)
		if i%10 == 9 {
			f.orders = append(f.orders, fmt.Sprintf(`{"oid":%d,"u":"u%d","amount":%d,"ts":"%s"}`, i, user, f.rnd.IntN(1000), flowTime(at)))
			continue
		}
		p := f.rnd.IntN(clickParts)
		f.clicks[p] = append(f.clicks[p], fmt.Sprintf(`{"id":%d,"u":"u%d","path":"/p/%d","v":%d,"ts":"%s"}`, i, user, f.rnd.IntN(200), f.rnd.IntN(100000), flowTime(at)))
	}
	// What comes long after closes all windows, in every partition.
	end := flowTime(start + int64(events)*20 + 24*3600_000)
	for p := range f.clicks {
		f.clicks[p] = append(f.clicks[p], fmt.Sprintf(`{"id":-1,"u":"last%d","path":"/last/%d","v":0,"ts":"%s"}`, p, p, end))
	}
	f.orders = append(f.orders, fmt.Sprintf(`{"oid":-1,"u":"nobody","amount":0,"ts":"%s"}`, end))
	return f
}

func flowTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000") }

func (f *flow) topic(name string) string { return f.id + "-" + name }

// prepare makes the topics; the sinks' with names of a run.
func (f *flow) prepare(runs ...string) {
	f.s.t.Helper()
	topics := map[string]int{"clicks": clickParts, "orders": 1}
	for _, r := range runs {
		for _, out := range flowOutputs {
			topics[r+"-"+out] = 1
		}
	}
	f.makeTopics(topics)
}

// makeTopics makes topics with so many partitions.
func (f *flow) makeTopics(topics map[string]int) {
	f.s.t.Helper()
	a, err := kafka.NewAdmin(f.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		f.s.t.Fatal(err)
	}
	defer a.Close()
	for name, parts := range topics {
		eventually(f.s.t, 30*time.Second, "topic "+name, func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			return a.EnsureTopic(ctx, f.topic(name), parts, nil)
		})
	}
}

var flowOutputs = []string{"tumbles", "sessions", "joined", "best"}

// sql is the job of a run.
func (f *flow) sql(run string) string {
	source := func(topic string) string {
		return fmt.Sprintf("'connector'='kafka','topic'='%s','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='%s','format'='json'", f.topic(topic), f.s.brokers)
	}
	sink := func(topic string) string {
		return fmt.Sprintf("'connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','format'='json'", f.topic(run+"-"+topic), f.s.brokers)
	}
	exactly := ",'sink.delivery-guarantee'='exactly-once','sink.transactional-id-prefix'='" + f.topic(run) + "'"
	once := func(topic string) string {
		if !f.once {
			return sink(topic)
		}
		return sink(topic) + exactly
	}
	best := fmt.Sprintf("'connector'='upsert-kafka','topic'='%s','properties.bootstrap.servers'='%s','key.format'='json','value.format'='json'", f.topic(run+"-best"), f.s.brokers)
	if f.fenced {
		best += exactly
	}
	return `SET 'table.exec.source.idle-timeout' = '0';
SET 'execution.checkpointing.interval' = '200 ms';
CREATE TABLE clicks (id BIGINT, u STRING, path STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH (` + source("clicks") + `);
CREATE TABLE orders (oid BIGINT, u STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH (` + source("orders") + `);
CREATE TABLE tumbles (path STRING, n BIGINT, total BIGINT, users BIGINT) WITH (` + once("tumbles") + `);
CREATE TABLE sessions (u STRING, ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT) WITH (` + once("sessions") + `);
CREATE TABLE joined (path STRING, amount INT) WITH (` + sink("joined") + `);
CREATE TABLE best (path STRING, rn BIGINT, id BIGINT, v INT, PRIMARY KEY (path, rn) NOT ENFORCED) WITH (` + best + `);
EXECUTE STATEMENT SET BEGIN
INSERT INTO tumbles SELECT path, COUNT(*), SUM(v), COUNT(DISTINCT u) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, path;
INSERT INTO sessions SELECT u, window_start, window_end, COUNT(*) FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '30' SECOND)) GROUP BY window_start, window_end, u;
INSERT INTO joined SELECT c.path, o.amount FROM clicks c JOIN orders o ON c.u = o.u AND o.ts BETWEEN c.ts - INTERVAL '20' SECOND AND c.ts + INTERVAL '20' SECOND;
INSERT INTO best SELECT path, rn, id, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY path ORDER BY v DESC, id) AS rn FROM clicks) WHERE rn <= 3;
END;`
}

// feed writes share i of the events, which are cut into so many.
func (f *flow) feed(i, of int) {
	f.s.t.Helper()
	if f.producer == nil {
		p, err := kafka.NewProducer(f.cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			f.s.t.Fatal(err)
		}
		f.producer = p
		f.s.t.Cleanup(p.Close)
	}
	p := f.producer
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	failed := make(chan error, 1)
	put := func(topic string, partition int32, rows []string) {
		rows = rows[len(rows)*i/of : len(rows)*(i+1)/of]
		for batch := range slices.Chunk(rows, 5000) {
			var r kafka.Records
			for _, row := range batch {
				r.Append(partition, nil, []byte(row))
			}
			_ = p.Produce(ctx, f.topic(topic), &r, func(err error, _ []kafka.Failure) {
				if err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			})
		}
	}
	for i := range f.clicks {
		put("clicks", int32(i), f.clicks[i])
	}
	put("orders", 0, f.orders)
	if err := p.Flush(ctx); err != nil {
		f.s.t.Fatal(err)
	}
	select {
	case err := <-failed:
		f.s.t.Fatal(err)
	default:
	}
}

// results reads what a run has put out: rows by their name, and how many there were
// with those that came again.
func (f *flow) results(run, output string) (rows map[string]string, all int) {
	f.s.t.Helper()
	rows = make(map[string]string)
	c, err := kafka.NewConsumer(f.cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Header: "event-id", Ends: true, Properties: map[string]string{"auto.offset.reset": "earliest"}})
	if err != nil {
		f.s.t.Fatal(err)
	}
	defer c.Close()
	topic := f.topic(run + "-" + output)
	if err := c.Assign([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
		f.s.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		b, _ := c.Poll(context.Background(), 200*time.Millisecond)
		if b != nil {
			for i := range b.Len() {
				r := b.Record(i)
				all++
				name := string(r.Header)
				if output == "best" {
					name = string(r.Key)
				}
				if name == "" {
					f.s.t.Fatalf("%s: a row without a name: %s", output, r.Value)
				}
				rows[name] = string(r.Value)
			}
			b.Release()
		}
		if _, ok := c.End(topic, 0); ok {
			return rows, all
		}
	}
	f.s.t.Fatalf("%s was not read to its end", topic)
	return nil, 0
}

// values are the rows without their names, in order.
func values(rows map[string]string) []string {
	all := make([]string, 0, len(rows))
	for _, v := range rows {
		all = append(all, v)
	}
	slices.Sort(all)
	return all
}

// lag is how many records a job has not read.
func (s *site) lag(job string) (int, error) {
	var j struct {
		Job struct {
			Status struct {
				State, Error string
				Sources      []struct{ Lag, End json.Number }
			}
		}
	}
	if err := s.call("GET", "/api/v1/jobs/"+job, nil, &j); err != nil {
		return 0, err
	}
	if j.Job.Status.State != "JOB_STATE_RUNNING" {
		return 0, fmt.Errorf("%s %s", j.Job.Status.State, j.Job.Status.Error)
	}
	n := 0
	for _, x := range j.Job.Status.Sources {
		lag, _ := strconv.Atoi(x.Lag.String())
		n += lag
	}
	if len(j.Job.Status.Sources) < clickParts+1 {
		return 0, fmt.Errorf("%d partitions are read", len(j.Job.Status.Sources))
	}
	return n, nil
}

func (f *flow) create(run string) {
	f.s.t.Helper()
	eventually(f.s.t, 30*time.Second, "the job is created", func() error {
		return f.s.call("POST", "/api/v1/jobs", map[string]any{"name": f.id + "-" + run, "sql": f.sql(run), "start": true}, nil)
	})
}

func (f *flow) through(run string, within time.Duration) {
	f.s.t.Helper()
	eventually(f.s.t, within, "all events are read", func() error {
		n, err := f.s.lag(f.id + "-" + run)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d are left", n)
		}
		return err
	})
}

// A job with state that is killed at any moment puts out what an undisturbed one does.
func TestStateSurvivesKills(t *testing.T) {
	n := number("EVENTS", 60_000)
	kills := number("KILLS", 5)
	for _, x := range []struct {
		name string
		make func(t *testing.T) *site
		once bool
	}{
		{"embedded", sites[0].make, false},
		{"real", sites[1].make, false},
		{"transactions", sites[1].make, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := x.make(t)
			f := newFlow(s, n)
			f.once = x.once
			appendFile(t, s.log(), "")
			s.boot()
			f.prepare("killed", "calm")
			f.create("killed")
			start := time.Now()
			for k := range kills {
				f.runs("killed")
				// Little by little, so that windows end all the time and not at the last.
				for i := range steps {
					f.feed(k*steps+i, kills*steps)
				}
				time.Sleep(time.Duration(rand.N(400)) * time.Millisecond)
				left, err := s.lag(f.id + "-killed")
				t.Logf("kill -9 with %d records to read (%v)", left, err)
				s.crash()
				s.boot()
			}
			f.through("killed", 5*time.Minute)
			took := time.Since(start)
			f.create("calm")
			f.through("calm", 5*time.Minute)
			for _, out := range flowOutputs {
				f.compare(out)
			}
			t.Logf("%d events, %d kills: %s", n, kills, took.Round(time.Millisecond))
			for _, run := range []string{"killed", "calm"} {
				if err := s.call("DELETE", "/api/v1/jobs/"+f.id+"-"+run, nil, nil); err != nil {
					t.Error(err)
				}
			}
			s.halt()
		})
	}
}

// runs waits until a job reads.
func (f *flow) runs(run string) {
	f.s.t.Helper()
	eventually(f.s.t, 60*time.Second, "the job runs", func() error {
		_, err := f.s.lag(f.id + "-" + run)
		return err
	})
}

// compare waits until both runs have put out the same.
func (f *flow) compare(out string) { f.s.t.Helper(); f.compareRun("killed", out) }

// compareRun waits until a run has put out what the undisturbed one has.
func (f *flow) compareRun(run, out string) {
	f.s.t.Helper()
	var killed, calm []string
	again := 0
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		rows, all := f.results(run, out)
		again = all - len(rows)
		killed = values(rows)
		rows, all = f.results("calm", out)
		calm = values(rows)
		if out != "best" && all != len(calm) {
			f.s.t.Fatalf("%s: %d rows of the undisturbed run have %d names", out, all, len(calm))
		}
		if len(calm) > 0 && slices.Equal(killed, calm) {
			f.s.t.Logf("%s of %s: %d rows, %d came again", out, run, len(calm), again)
			if f.once && again > 0 && (out == "tumbles" || out == "sessions") {
				f.s.t.Errorf("%s: %d rows came again, though they are written in transactions", out, again)
			}
			return
		}
	}
	missing, extra := 0, 0
	var examples []string
	for _, v := range calm {
		if _, ok := slices.BinarySearch(killed, v); !ok {
			if missing++; missing < 4 {
				examples = append(examples, "missing "+v)
			}
		}
	}
	for _, v := range killed {
		if _, ok := slices.BinarySearch(calm, v); !ok {
			if extra++; extra < 4 {
				examples = append(examples, "extra "+v)
			}
		}
	}
	f.s.t.Errorf("%s: %d rows after the kills, %d undisturbed; at least %d missing, %d extra:\n%s", out, len(killed), len(calm), missing, extra, strings.Join(examples, "\n"))
}
