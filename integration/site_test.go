//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// site is a Weirflow under test, whatever it consists of.
type site struct {
	t       *testing.T
	dir     string
	brokers string
	search  string
	user    string
	pass    string
	gateway string
	topic   string
	index   string
	// alerting sets the flags of the alerting service, which does not run otherwise.
	alerting func(flags ...string)
	// boot starts the processes; crash kills one or all of them with -9.
	boot  func()
	crash func()
	halt  func()
	// reset forgets processes that were stopped, so that boot starts them again.
	reset func()
}

// names gives a site a topic, an index and a job that no other test uses.
func (s *site) names() {
	id := fmt.Sprintf("%s-%d", strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(s.t.Name())), time.Now().UnixNano()%1e6)
	s.topic, s.index = "topic-"+id, "index-"+id
}

// job is the mission's job on the site's own topic and index.
func (s *site) job() string {
	return fmt.Sprintf("CREATE TABLE DataInput (\n"+
		"    `@timestamp` VARCHAR,\n    `host`       ROW<id VARCHAR,ip ARRAY<VARCHAR>>,\n"+
		"    `log`        ROW<`offset` INTEGER,file ROW<path VARCHAR>>,\n    `message`    VARCHAR\n) WITH (\n"+
		"    'connector' = 'kafka', 'topic' = '%s', 'scan.startup.mode' = 'earliest-offset',\n"+
		"    'properties.bootstrap.servers' = '%s', 'properties.group.id' = 'g-%s',\n"+
		"    'format' = 'json', 'json.ignore-parse-errors' = 'true', 'json.fail-on-missing-field' = 'false'\n);\n"+
		"CREATE TABLE es_output (`id` VARCHAR, `ip` ARRAY<VARCHAR>, `path` VARCHAR, `num` INTEGER, `message` VARCHAR, `createTime` VARCHAR) WITH (\n"+
		"    'connector' = 'elasticsearch-7', 'hosts' = '%s', 'index' = '%s', 'username' = '%s', 'password' = '%s'\n);\n"+
		"INSERT INTO es_output SELECT host.id as `id`, host.ip as `ip`, log.file.path as `path`, log.`offset` as `num`, message, `@timestamp` as `createTime` from DataInput;\n",
		s.topic, s.brokers, s.topic, s.search, s.index, s.user, s.pass)
}

// filebeat tails the site's log file.
func (s *site) filebeat(output string) string {
	return fmt.Sprintf("filebeat.inputs:\n- type: log\n  enabled: true\n  paths:\n    - %s\n  scan_frequency: 1s\n\n%s", s.log(), output)
}

func (s *site) log() string { return filepath.Join(s.dir, "app.log") }

// allInOne is the one process; without brokers and search on embedded parts.
func allInOne(t *testing.T, onReal bool) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), user: "elastic", pass: "secret-of-the-test"}
	s.names()
	p := freePorts(t, 5)
	s.gateway = "http://" + p[0]
	args := []string{"run", "--data-dir", filepath.Join(s.dir, "data"), "--gateway.listen", p[0], "--ingest.listen", p[1], "--admin.listen", p[4], "--search-password", s.pass}
	more := []string{"--alerting.listen", ""}
	s.alerting = func(args ...string) { more = args }
	if onReal {
		s.brokers, s.search, s.pass = env(t, "KAFKA_BROKERS"), env(t, "ELASTICSEARCH_URL"), env(t, "ELASTICSEARCH_PASSWORD")
		args = append(args, "--kafka.brokers", s.brokers, "--search.url", s.search, "--search-password", s.pass)
	} else {
		s.brokers, s.search = p[2], "http://"+p[3]
		args = append(args, "--kafka.listen", p[2], "--search.listen", p[3])
	}
	output := fmt.Sprintf("output.kafka:\n  version: 2.0.0\n  hosts: [%q]\n  topic: %s\n", s.brokers, s.topic)
	args = append(args, "-c", writeFile(t, filepath.Join(s.dir, "filebeat.yml"), s.filebeat(output)),
		"--sql", writeFile(t, filepath.Join(s.dir, s.index+".sql"), s.job()))
	var proc *process
	s.boot = func() { proc = launch(t, s.dir, "weirflow", slices.Concat(args, more)...) }
	s.crash = func() { proc.kill() }
	s.halt = func() {
		if code := proc.stop(); code != 0 {
			t.Errorf("exit code %d after an interrupt", code)
		}
	}
	return s
}

// separate is one process per service on a real Kafka and Elasticsearch.
func separate(t *testing.T) *site {
	t.Helper()
	s := &site{
		t: t, dir: t.TempDir(), user: "elastic",
		brokers: env(t, "KAFKA_BROKERS"), search: env(t, "ELASTICSEARCH_URL"), pass: env(t, "ELASTICSEARCH_PASSWORD"),
	}
	s.names()
	p := freePorts(t, 9)
	s.gateway = "http://" + p[0]
	output := fmt.Sprintf("output.ingest:\n  hosts: [%q]\n  topic: %s\n", p[1], s.topic)
	beat := writeFile(t, filepath.Join(s.dir, "filebeat.yml"), s.filebeat(output))
	start := map[string]func() *process{
		"agent": func() *process {
			return launch(t, s.dir, "weirflow-agent", "-e", "-c", beat, "--path.data", filepath.Join(s.dir, "agent"), "--strict.perms=false")
		},
		"ingest": func() *process {
			return launch(t, s.dir, "weirflow-ingest", "--rpc.listen", p[1], "--kafka.brokers", s.brokers, "--admin.listen", p[4])
		},
		"transform": func() *process {
			return launch(t, s.dir, "weirflow-transform", "--rpc.listen", p[2], "--kafka.brokers", s.brokers, "--admin.listen", p[5])
		},
		"indexer": func() *process {
			return launch(t, s.dir, "weirflow-indexer", "--rpc.listen", p[3], "--kafka.brokers", s.brokers, "--admin.listen", p[6])
		},
		"gateway": func() *process {
			return launch(t, s.dir, "weirflow-gateway", "--listen", p[0], "--kafka.brokers", s.brokers, "--ingest.address", p[1], "--transform.address", p[2], "--indexer.address", p[3], "--admin.listen", p[7])
		},
	}
	order := []string{"ingest", "transform", "indexer", "gateway", "agent"}
	procs := map[string]*process{}
	turn := 0
	created := false
	s.boot = func() {
		for _, n := range order {
			if procs[n] == nil {
				procs[n] = start[n]()
			}
		}
		if !created {
			created = true
			eventually(t, 30*time.Second, "the job is created", func() error {
				return s.call("POST", "/api/v1/jobs", map[string]any{"name": s.index, "sql": s.job(), "start": true}, nil)
			})
		}
	}
	s.crash = func() { // each service in its turn
		n := []string{"transform", "agent", "indexer", "ingest", "gateway"}[turn%5]
		turn++
		t.Logf("kill -9 %s", n)
		procs[n].kill()
		procs[n] = nil
	}
	s.reset = func() { clear(procs) }
	s.halt = func() {
		for _, n := range slices.Backward(order) {
			if code := procs[n].stop(); code != 0 {
				t.Errorf("%s: exit code %d after an interrupt", n, code)
			}
		}
	}
	return s
}

// call asks the gateway.
func (s *site) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, s.gateway+path, body)
	if err != nil {
		return err
	}
	return s.do(req, out)
}

// ask asks the search store.
func (s *site) ask(method, path string, in string, out any) error {
	req, err := http.NewRequest(method, s.search+path, strings.NewReader(in))
	if err != nil {
		return err
	}
	req.SetBasicAuth(s.user, s.pass)
	req.Header.Set("Content-Type", "application/json")
	return s.do(req, out)
}

var client = &http.Client{Timeout: 20 * time.Second}

func (s *site) do(req *http.Request, out any) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %.300s", req.Method, req.URL.Path, res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// count is the number of documents in an index.
func (s *site) count(index string) (int, error) {
	if err := s.ask("POST", "/"+index+"/_refresh", "", nil); err != nil {
		return 0, err
	}
	var c struct{ Count int }
	err := s.ask("GET", "/"+index+"/_count", "", &c)
	return c.Count, err
}

// arrives waits for exactly n documents.
func (s *site) arrives(n int, within time.Duration) {
	s.t.Helper()
	eventually(s.t, within, fmt.Sprintf("%d documents", n), func() error {
		have, err := s.count(s.index)
		if err == nil && have != n {
			err = fmt.Errorf("%d documents", have)
		}
		return err
	})
}

// messages reads the message field of all documents, page by page.
func (s *site) messages() []string {
	s.t.Helper()
	var out []string
	after := ""
	for {
		var page struct {
			Hits struct {
				Hits []struct {
					Source struct {
						Message string `json:"message"`
						Num     int64  `json:"num"`
					} `json:"_source"`
					Sort []json.RawMessage `json:"sort"`
				} `json:"hits"`
			} `json:"hits"`
		}
		q := fmt.Sprintf(`{"size":5000,"sort":[{"num":"asc"}],"_source":["message","num"],"query":{"match_all":{}}%s}`, after)
		if err := s.ask("POST", "/"+s.index+"/_search", q, &page); err != nil {
			s.t.Fatal(err)
		}
		n := len(page.Hits.Hits)
		if n == 0 {
			return out
		}
		for _, h := range page.Hits.Hits {
			out = append(out, h.Source.Message)
		}
		last, err := json.Marshal(page.Hits.Hits[n-1].Sort)
		if err != nil {
			s.t.Fatal(err)
		}
		after = `,"search_after":` + string(last)
	}
}

// balanced checks that the ledger's stages add up and nothing is on its way.
func (s *site) balanced() {
	s.t.Helper()
	eventually(s.t, 20*time.Second, "the ledger is settled", func() error {
		var l struct {
			Stages []struct {
				Service, Name                             string
				In, Out, Filtered, DeadLettered, InFlight json.Number
			}
			Unreachable map[string]string
		}
		if err := s.call("GET", "/api/v1/ledger", nil, &l); err != nil {
			return err
		}
		if len(l.Stages) == 0 {
			return errors.New("the ledger is empty")
		}
		for _, x := range l.Stages {
			n := func(j json.Number) int64 { v, _ := j.Int64(); return v }
			if n(x.In) != n(x.Out)+n(x.Filtered)+n(x.DeadLettered)+n(x.InFlight) {
				s.t.Errorf("%s %s does not balance: %+v", x.Service, x.Name, x)
			}
			if n(x.InFlight) != 0 {
				return fmt.Errorf("%s %s has %s in flight", x.Service, x.Name, x.InFlight)
			}
		}
		return nil
	})
}

func (s *site) listMessages(topic string) ([]string, error) {
	var out struct {
		Messages []struct{ Text string }
	}
	err := s.call("GET", "/api/v1/topics/"+url.PathEscape(topic)+"/messages?pageSize=1000", nil, &out)
	var texts []string
	for _, m := range out.Messages {
		texts = append(texts, m.Text)
	}
	return texts, err
}
