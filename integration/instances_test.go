//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// fleet is several transforms on one Kafka, each with a gateway of its own, so that
// a request can be sent to a certain one.
type fleet struct {
	t       *testing.T
	brokers string
	names   []string
	sites   map[string]*site
	start   map[string]func() *process
	procs   map[string]*process
}

const fleetSession = 6 * time.Second // as short as brokers allow by default

func newFleet(t *testing.T, names ...string) *fleet {
	f := &fleet{t: t, brokers: env(t, "KAFKA_BROKERS"), names: names, sites: map[string]*site{}, start: map[string]func() *process{}, procs: map[string]*process{}}
	p := freePorts(t, 4*len(names))
	first := &site{t: t, dir: t.TempDir(), brokers: f.brokers}
	first.names() // of the topics and jobs of the test
	dir := first.dir
	for i, n := range names {
		at := p[4*i:]
		s := &site{t: t, dir: dir, brokers: f.brokers, topic: first.topic, index: first.index, gateway: "http://" + at[2]}
		f.sites[n] = s
		f.start[n] = func() *process {
			return launch(t, dir, "weirflow-transform", "--instance", n, "--session-timeout", fleetSession.String(),
				"--rpc.listen", at[0], "--admin.listen", at[1], "--kafka.brokers", f.brokers)
		}
		// Without a Kafka of its own: nobody logs in here, and the machine has enough to do.
		launch(t, dir, "weirflow-gateway", "--listen", at[2], "--kafka.brokers=", "--transform.address", at[0], "--ingest.address", at[0], "--indexer.address", at[0], "--admin.listen", at[3])
	}
	for _, n := range names {
		f.up(n)
	}
	return f
}

func (x *fleet) up(n string) { x.procs[n] = x.start[n]() }

// other returns an instance that is not the one.
func (x *fleet) other(n string) string {
	i := slices.Index(x.names, n)
	return x.names[(i+1)%len(x.names)]
}

// placed asks an instance where the test's jobs run; jobs that do not run are left out.
func (x *fleet) placed(ask string) map[string]string {
	var l struct {
		Jobs []struct {
			Name   string
			Status struct {
				State, Instance string
				Sources         []json.RawMessage
			}
		}
	}
	on := map[string]string{}
	if err := x.sites[ask].call("GET", "/api/v1/jobs?pageSize=1000", nil, &l); err != nil {
		return on
	}
	for _, j := range l.Jobs {
		if strings.HasPrefix(j.Name, x.sites[ask].index) && j.Status.State == "JOB_STATE_RUNNING" && len(j.Status.Sources) > 0 {
			on[j.Name] = j.Status.Instance
		}
	}
	return on
}

// settled waits until so many jobs run, all of them on the named instances, and
// returns after how long.
func (x *fleet) settled(ask string, jobs int, within time.Duration, on ...string) time.Duration {
	x.t.Helper()
	began := time.Now()
	eventually(x.t, within, fmt.Sprintf("%d jobs run on %v", jobs, on), func() error {
		placed := x.placed(ask)
		used := map[string]bool{}
		for j, n := range placed {
			if !slices.Contains(on, n) {
				return fmt.Errorf("%s runs on %s", j, n)
			}
			used[n] = true
		}
		if len(placed) != jobs || len(used) != len(on) {
			return fmt.Errorf("jobs run on %v", placed)
		}
		return nil
	})
	return time.Since(began)
}

const fleetPlain = "plain"

// plain is a job without state: its rows are named by what they come of.
func (f *flow) plain(run string) string {
	return fmt.Sprintf("CREATE TABLE clicks (id BIGINT, u STRING, v INT) WITH ('connector'='kafka','topic'='%s','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='%s','format'='json');\n"+
		"CREATE TABLE o (id BIGINT, u STRING, v INT) WITH ('connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','format'='json');\n"+
		"INSERT INTO o SELECT id, u, v FROM clicks WHERE v < 50000;", f.topic("clicks"), f.s.brokers, f.topic(run+"-"+fleetPlain), f.s.brokers)
}

// Jobs of several instances that are killed, stopped for a while and started again
// under load put out what undisturbed ones do, whichever instance is asked.
func TestInstancesTakeOver(t *testing.T) {
	n, rounds := number("EVENTS", 30_000), number("ROUNDS", 1)
	nap := time.Duration(number("NAP", 9)) * time.Second
	x := newFleet(t, "one", "two")
	f := newFlow(x.sites["one"], n)
	runs := []string{"a", "b", "c"}
	f.prepare(append([]string{"calm"}, runs...)...)
	jobs := 0
	create := func(run, sql, ask string) {
		jobs++
		eventually(t, 40*time.Second, "the job is created", func() error {
			return x.sites[ask].call("POST", "/api/v1/jobs", map[string]any{"name": f.id + "-" + run, "sql": sql, "start": true}, nil)
		})
	}
	for i, run := range runs {
		f.once, f.fenced = run == "c", run != "a"
		create(run, f.sql(run), x.names[i%2])
		create(run+"-"+fleetPlain, f.plain(run), x.names[(i+1)%2])
	}
	x.settled("one", jobs, 60*time.Second, "one", "two")
	t.Logf("jobs run on %v", x.placed("two"))

	fed := make(chan struct{})
	quick := make(chan struct{})
	go func() {
		defer close(fed)
		const parts = 400
		for i := range parts - 20 {
			f.feed(i, parts)
			select {
			case <-quick:
			case <-time.After(time.Duration(rounds) * 60 * time.Millisecond):
			}
		}
		<-quick // what ends the windows comes after all else
		for i := range 20 {
			f.feed(parts-20+i, parts)
		}
	}()
	for i := range rounds {
		a := x.names[i%2]
		b := x.other(a)
		x.procs[a].kill()
		x.up(a)
		t.Logf("kill -9 of %s and start: all jobs run %s later", a, x.settled(b, jobs, 20*time.Second, a, b))
		x.wrong(f, jobs)

		x.procs[b].kill()
		took := x.settled(a, jobs, fleetSession+10*time.Second, a)
		t.Logf("kill -9 of %s: %s has all jobs %s later", b, a, took)
		if took > fleetSession+3*time.Second {
			t.Errorf("the other took over after %s, later than 3 s after the session time-out", took)
		}
		x.up(b)
		t.Logf("start of %s: it has its share after %s", b, x.settled(a, jobs, 30*time.Second, a, b))
	}
	x.pause("one", nap, jobs)
	close(quick)
	<-fed

	for _, run := range runs {
		f.through(run, 2*time.Minute)
	}
	f.once, f.fenced = false, false
	create("calm", f.sql("calm"), "two")
	create("calm-"+fleetPlain, f.plain("calm"), "one")
	f.through("calm", 2*time.Minute)
	for _, run := range runs {
		f.once, f.fenced = run == "c", run != "a"
		for _, out := range append(slices.Clone(flowOutputs), fleetPlain) {
			if out == "best" && !f.fenced {
				continue // what one that stood still had begun to send may lie over what is newer
			}
			f.compareRun(run, out)
		}
	}
	for _, run := range append(runs, "calm") {
		for _, j := range []string{run, run + "-" + fleetPlain} {
			if err := x.sites["two"].call("DELETE", "/api/v1/jobs/"+f.id+"-"+j, nil, nil); err != nil {
				t.Error(err)
			}
		}
	}
	for _, name := range x.names {
		if code := x.procs[name].stop(); code != 0 {
			t.Errorf("%s: exit code %d after an interrupt", name, code)
		}
	}
}

// wrong sends requests about a job to the instance that does not have it.
func (x *fleet) wrong(f *flow, jobs int) {
	t := x.t
	t.Helper()
	job := f.id + "-a"
	ask := x.sites[x.other(x.placed("one")[job])]
	point := fmt.Sprintf("p%d", time.Now().UnixNano())
	if err := ask.call("POST", "/api/v1/jobs/"+job+"/savepoints", map[string]any{"name": point}, nil); err != nil {
		t.Error(err)
	}
	if err := ask.call("POST", "/api/v1/jobs/"+job+":stop", map[string]any{}, nil); err != nil {
		t.Error(err)
	}
	for name, s := range x.sites {
		var j struct {
			Job struct{ Status struct{ State string } }
		}
		if err := s.call("GET", "/api/v1/jobs/"+job, nil, &j); err != nil || j.Job.Status.State != "JOB_STATE_SUSPENDED" {
			t.Errorf("a job that was stopped is %q at %s, %v", j.Job.Status.State, name, err)
		}
	}
	if err := ask.call("POST", "/api/v1/jobs/"+job+":start", map[string]any{}, nil); err != nil {
		t.Error(err)
	}
	x.settled("two", jobs, 20*time.Second, x.names...)
}

// pause stops an instance for so long that the other takes its jobs, and has it go on.
func (x *fleet) pause(a string, nap time.Duration, jobs int) {
	t := x.t
	t.Helper()
	b := x.other(a)
	x.signal(a, syscall.SIGSTOP)
	began := time.Now()
	t.Logf("%s stands still: %s has all jobs %s later", a, b, x.settled(b, jobs, fleetSession+10*time.Second, b))
	time.Sleep(time.Until(began.Add(nap)))
	x.signal(a, syscall.SIGCONT)
	t.Logf("%s goes on: it has its share after %s", a, x.settled(b, jobs, 30*time.Second, a, b))
}

// An instance that stands still in the middle of its work goes on when the other has
// done all of it: what it had begun to send does not count any more, and so does not lie
// over what is newer. Only the cluster can see to that, by transactions.
func TestANapOverwritesNothing(t *testing.T) {
	const keys, parts = 50, 20
	n, rounds := number("EVENTS", 1_000_000), number("ROUNDS", 1)
	nap := time.Duration(number("NAP", 9)) * time.Second
	x := newFleet(t, "one", "two")
	s := x.sites["one"]
	f := &flow{s: s, id: s.index, cfg: kafka.Config{Brokers: []string{s.brokers}}}
	for i := range n {
		f.orders = append(f.orders, fmt.Sprintf(`{"u":"u%d"}`, i%keys))
	}
	for round := range rounds {
		run := fmt.Sprintf("nap%d", round)
		f.makeTopics(map[string]int{"orders": 1, run + "-best": 1})
		if round == 0 {
			for i := range parts {
				f.feed(i, parts)
			}
		}
		job := f.id + "-" + run
		sql := fmt.Sprintf("CREATE TABLE orders (u STRING) WITH ('connector'='kafka','topic'='%s','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='%s','format'='json');\n"+
			"CREATE TABLE best (u STRING PRIMARY KEY NOT ENFORCED, n BIGINT) WITH ('connector'='upsert-kafka','topic'='%s','properties.bootstrap.servers'='%s','key.format'='json','value.format'='json','sink.delivery-guarantee'='exactly-once','sink.transactional-id-prefix'='%s');\n"+
			"INSERT INTO best SELECT u, COUNT(*) FROM orders GROUP BY u;", f.topic("orders"), s.brokers, f.topic(run+"-best"), s.brokers, job)
		eventually(t, 40*time.Second, "the job is created", func() error {
			return s.call("POST", "/api/v1/jobs", map[string]any{"name": job, "sql": sql, "start": true}, nil)
		})
		out := f.topic(run + "-best")
		for end := time.Now().Add(30 * time.Second); f.written(out) < int64(n/10) && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		a := x.placed("one")[job]
		b := x.other(a)
		x.signal(a, syscall.SIGSTOP)
		began := time.Now()
		before := f.written(out)
		if before == 0 || before == int64(n) {
			t.Fatalf("%d of %d rows are written, which is not the middle of it", before, n)
		}
		counted := func() error {
			rows, all := f.results(run, "best")
			for k, v := range rows {
				if want := fmt.Sprintf(`"n":%d}`, n/keys); !strings.HasSuffix(v, want) {
					return fmt.Errorf("of %d rows, the last of %s is %s, not %s", all, k, v, want)
				}
			}
			if len(rows) != keys {
				return fmt.Errorf("%d keys", len(rows))
			}
			return nil
		}
		eventually(t, 60*time.Second, "the other does all", counted)
		time.Sleep(time.Until(began.Add(nap)))
		after := f.written(out)
		x.signal(a, syscall.SIGCONT)
		time.Sleep(4 * time.Second)
		last := f.written(out)
		t.Logf("%s stands still with %d rows written; %s wrote %d; %d came when %s went on", a, before, b, after-before, last-after, a)
		if err := counted(); err != nil {
			t.Error(err)
		}
		if err := s.call("DELETE", "/api/v1/jobs/"+job, nil, nil); err != nil {
			t.Error(err)
		}
	}
}

// written is how many records a topic of one partition has.
func (f *flow) written(topic string) int64 {
	f.s.t.Helper()
	a, err := kafka.NewAdmin(f.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		f.s.t.Fatal(err)
	}
	defer a.Close()
	ends, err := a.EndOffsets(f.s.t.Context(), topic)
	if err != nil {
		f.s.t.Fatal(err)
	}
	return ends[0]
}

// signal sends a signal to an instance.
func (x *fleet) signal(name string, s syscall.Signal) {
	x.t.Helper()
	if err := x.procs[name].cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

// A second process of a name ends the first, which says why.
func TestInstancesOfOneName(t *testing.T) {
	x := newFleet(t, "same")
	first := x.procs["same"]
	eventually(t, 30*time.Second, "the first to answer", func() error {
		return x.sites["same"].call("GET", "/api/v1/jobs", nil, nil)
	})
	// The jobs of the group are its own when it answers for one that is not there.
	eventually(t, 30*time.Second, "the first to have its share", func() error {
		err := x.sites["same"].call("GET", "/api/v1/jobs/none", nil, nil)
		if err == nil || !strings.Contains(err.Error(), strconv.Itoa(http.StatusNotFound)) {
			return errors.Join(errors.New("no answer"), err)
		}
		return nil
	})
	p := freePorts(t, 2)
	launch(t, x.sites["same"].dir, "weirflow-transform", "--instance", "same", "--session-timeout", fleetSession.String(),
		"--rpc.listen", p[0], "--admin.listen", p[1], "--kafka.brokers", x.brokers)
	if code := first.exits(30 * time.Second); code == 0 {
		t.Error("the first ended as if nothing was wrong")
	}
	if !strings.Contains(first.err.String(), "under the same name") {
		t.Errorf("the first does not say why it ended:\n%s", first.err.String())
	}
}

// When Kafka is away for longer than the session time-out all instances lose their
// jobs, and share them out again when it is back.
func TestInstancesOutliveKafka(t *testing.T) {
	x := newFleet(t, "one", "two")
	f := newFlow(x.sites["one"], 20_000)
	f.prepare("away", "calm")
	create := func(run string) {
		eventually(t, 40*time.Second, "the job is created", func() error {
			return x.sites["one"].call("POST", "/api/v1/jobs", map[string]any{"name": f.id + "-" + run, "sql": f.sql(run), "start": true}, nil)
		})
	}
	create("away")
	f.feed(0, 2)
	f.runs("away")
	script(t, "kafka/stop.sh")
	time.Sleep(fleetSession + 3*time.Second)
	script(t, "kafka/start.sh")
	began := time.Now()
	f.feed(1, 2)
	f.through("away", time.Minute)
	t.Logf("all is read %s after Kafka is back", time.Since(began))
	create("calm")
	f.through("calm", time.Minute)
	for _, out := range flowOutputs {
		f.compareRun("away", out)
	}
	for _, run := range []string{"away", "calm"} {
		if err := x.sites["two"].call("DELETE", "/api/v1/jobs/"+f.id+"-"+run, nil, nil); err != nil {
			t.Error(err)
		}
	}
	for _, name := range x.names {
		if code := x.procs[name].stop(); code != 0 {
			t.Errorf("%s: exit code %d after an interrupt", name, code)
		}
	}
}
