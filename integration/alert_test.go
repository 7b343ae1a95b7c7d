//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestFromALineToACall writes lines one by one that a job makes alerts of, and takes
// the time until the receiver is called. Each line is an alert of its own.
func TestFromALineToACall(t *testing.T) {
	n := number("ALERTS", 100)
	for _, x := range sites[:2] {
		t.Run(x.name, func(t *testing.T) {
			var mu sync.Mutex
			called := make(map[string][]time.Time)
			hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				var m struct {
					Alerts []struct {
						Status      string
						Labels      map[string]string
						Annotations map[string]string
					}
				}
				if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, a := range m.Alerts {
					if a.Annotations["summary"] != "disk of "+a.Labels["host"]+" is full" || a.Labels["severity"] != "critical" || a.Status != "firing" {
						t.Errorf("told %+v", a)
					}
					called[a.Labels["host"]] = append(called[a.Labels["host"]], time.Now())
				}
			}))
			defer hook.Close()
			s := x.make(t)
			dir := t.TempDir()
			am := writeFile(t, filepath.Join(dir, "alertmanager.yml"), "route: {receiver: hook, group_by: [alertname, host], group_wait: 0s}\nreceivers: [{name: hook, webhook_configs: [{url: '"+hook.URL+"'}]}]\n")
			s.alerting("--alerting.listen", "127.0.0.1:0", "--alerting.notify.config-file", am, "--alerting.outgoing.allow", "127.0.0.1")
			appendFile(t, s.log(), "")
			s.boot()
			job := fmt.Sprintf(`
CREATE TABLE lines (message STRING) WITH ('connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s',
    'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'json.ignore-parse-errors' = 'true');
CREATE TABLE full_disks (host STRING, summary STRING, severity STRING, PRIMARY KEY (host) NOT ENFORCED) WITH ('connector' = 'alert');
INSERT INTO full_disks SELECT host, 'disk of ' || host || ' is full', 'critical'
    FROM (SELECT REGEXP_EXTRACT(message, 'host=(\S+) disk full', 1) AS host FROM lines WHERE message LIKE '%%disk full%%');
`, s.topic, s.brokers)
			eventually(t, 30*time.Second, "the job is taken", func() error {
				return s.call("POST", "/api/v1/jobs", map[string]any{"name": s.index + "-alerts", "sql": job, "start": true}, nil)
			})
			appendFile(t, s.log(), "nothing of note\nhost=first disk full\n")
			count := func() int { mu.Lock(); defer mu.Unlock(); return len(called) }
			eventually(t, 60*time.Second, "the first alert is told", func() error {
				if count() == 0 {
					return errors.New("nobody was called")
				}
				return nil
			})
			var took []time.Duration
			for i := range n {
				host := fmt.Sprintf("h%d", i)
				start := time.Now()
				appendFile(t, s.log(), "host="+host+" disk full\n")
				eventually(t, 30*time.Second, "the alert of "+host+" is told", func() error {
					mu.Lock()
					defer mu.Unlock()
					if len(called[host]) == 0 {
						return errors.New("nobody was called")
					}
					took = append(took, called[host][0].Sub(start))
					return nil
				})
			}
			slices.Sort(took)
			t.Logf("from a line to the call: median %v, 99th percentile %v of %d", took[n/2].Round(time.Millisecond), took[min(n-1, n*99/100)].Round(time.Millisecond), n)
			mu.Lock()
			defer mu.Unlock()
			for host, at := range called {
				if len(at) != 1 {
					t.Errorf("%s was told %d times", host, len(at))
				}
			}
		})
	}
}

// TestAlertsSurviveKills kills the alerting service again and again while alerts are
// posted to it: each that it accepted is told, nearly all of them once, and a silence
// stays.
func TestAlertsSurviveKills(t *testing.T) {
	kills := number("KILLS", 8)
	var mu sync.Mutex
	told := make(map[string]int)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct {
			Alerts []struct{ Labels map[string]string }
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			return // cut off by a kill: it comes again
		}
		mu.Lock()
		defer mu.Unlock()
		for _, a := range m.Alerts {
			told[a.Labels["n"]]++
		}
	}))
	defer hook.Close()
	dir, p := t.TempDir(), freePorts(t, 3)
	am := writeFile(t, filepath.Join(dir, "alertmanager.yml"), "route: {receiver: hook, group_by: [n], group_wait: 50ms, group_interval: 1h}\nreceivers: [{name: hook, webhook_configs: [{url: '"+hook.URL+"'}]}]\n")
	boot := func() *process {
		return launch(t, dir, "weirflow", "alerting", "--listen", p[0], "--rpc.listen", p[1], "--admin.listen", p[2], "--data-dir", filepath.Join(dir, "data"),
			"--notify.config-file", am, "--outgoing.allow", "127.0.0.1", "--kafka.brokers", "127.0.0.1:1")
	}
	post := func(path string, body any) error {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		res, err := client.Post("http://"+p[0]+path, "application/json", bytes.NewReader(b))
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", res.StatusCode)
		}
		return nil
	}
	raise := func(n string) error {
		return post("/api/v2/alerts", []map[string]any{{"labels": map[string]string{"alertname": "Killed", "n": n}, "endsAt": time.Now().Add(time.Hour).Format(time.RFC3339)}})
	}
	proc := boot()
	eventually(t, 30*time.Second, "a silence is taken", func() error {
		return post("/api/v2/silences", map[string]any{"matchers": []map[string]any{{"name": "n", "value": "quiet", "isRegex": false}}, "createdBy": "ann", "comment": "works",
			"startsAt": time.Now().Format(time.RFC3339), "endsAt": time.Now().Add(time.Hour).Format(time.RFC3339)})
	})
	proc.kill() // at once
	proc = boot()
	var accepted []string
	for k := range kills {
		if k%4 != 3 { // otherwise it may be killed while it starts
			eventually(t, 60*time.Second, "it is there again", func() error {
				n := fmt.Sprintf("%d-first", k)
				err := raise(n)
				if err == nil {
					accepted = append(accepted, n)
				}
				return err
			})
		}
		end := time.Now().Add(time.Duration(200+rand.N(800)) * time.Millisecond)
		for i := 0; time.Now().Before(end); i++ {
			n := fmt.Sprintf("%d-%d", k, i)
			if raise(n) == nil {
				accepted = append(accepted, n)
			}
			time.Sleep(time.Duration(rand.N(20)) * time.Millisecond)
		}
		proc.kill()
		proc = boot()
	}
	eventually(t, 30*time.Second, "it is there again", func() error { return raise("quiet") })
	eventually(t, 60*time.Second, "all accepted alerts are told", func() error {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range accepted {
			if told[n] == 0 {
				return fmt.Errorf("%s of %d was not told", n, len(accepted))
			}
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	again := 0
	for _, n := range told {
		again += n - 1
	}
	t.Logf("%d alerts, %d kills, %d told again", len(accepted), kills+1, again)
	if len(accepted) < kills || again > 10*kills || told["quiet"] > 0 {
		t.Errorf("%d accepted, %d told again, the silenced one %d times", len(accepted), again, told["quiet"])
	}
}
