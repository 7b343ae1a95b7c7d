//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dashboard is what the test reads of one.
type dashboard struct {
	Panels []struct {
		Title, Type string
		Targets     []struct {
			Expr, Query string
			Metrics     []struct{ Type, Field string }
			BucketAggs  []struct{ Type, Field string }
		}
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

// TestDashboardsShowSomething asks every query of every dashboard of a running
// all-in-one; each has an answer.
func TestDashboardsShowSomething(t *testing.T) {
	s := allInOne(t, false)
	alerting := freePorts(t, 1)[0]
	s.alerting("--alerting.listen", alerting, "--alerting.metrics.scrape-interval", "1s", "--alerting.metrics.evaluation-interval", "1s")
	appendFile(t, s.log(), lines(0, 500))
	s.boot()
	windows := fmt.Sprintf(`CREATE TABLE lines (message STRING, seen TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR seen AS seen - INTERVAL '1' SECOND)
WITH ('connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'json.ignore-parse-errors' = 'true');
CREATE TABLE counts (b TIMESTAMP_LTZ(3), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE lines, DESCRIPTOR(seen), INTERVAL '1' SECOND)) GROUP BY window_start, window_end;`, s.topic, s.brokers)
	eventually(t, 30*time.Second, "a job with windows", func() error {
		return s.call(http.MethodPost, "/api/v1/jobs", map[string]any{"name": "windows", "sql": windows, "start": true}, nil)
	})
	s.arrives(500, 60*time.Second)
	files, err := filepath.Glob(filepath.Join("..", "deploy", "grafana", "dashboards", "*.json"))
	if err != nil || len(files) != 5 {
		t.Fatalf("%d dashboards: %v", len(files), err)
	}
	more := 500
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		queries := 0
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				queries++
				t.Run(filepath.Base(f)+"/"+p.Title, func(t *testing.T) {
					eventually(t, 15*time.Second, q.Expr+q.Query, func() error {
						appendFile(t, s.log(), lines(more, more+1))
						more++
						if q.Expr == "" {
							return s.asElasticsearch(q.Query, q.Metrics[0].Type, q.Metrics[0].Field, q.BucketAggs[0].Field)
						}
						return asPrometheus(alerting, q.Expr)
					})
				})
			}
		}
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			metric, label, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")"), ", ")
			if !ok {
				t.Fatalf("%s: variable %s: %s", f, v.Name, v.Definition)
			}
			if err := asPrometheus(alerting, "count by ("+label+") ("+metric+"{"+label+`!=""})`); err != nil {
				t.Errorf("%s: variable %s: %v", f, v.Name, err)
			}
		}
		t.Logf("%s: %d queries", filepath.Base(f), queries)
	}
	// All shipped rules are evaluated, and none has an error.
	res, err := http.Get("http://" + alerting + "/api/v1/rules")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var rules struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError, State string }
			}
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&rules); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range rules.Data.Groups {
		for _, r := range g.Rules {
			if n++; r.Health != "ok" || r.State == "firing" {
				t.Errorf("%s: %s %s %s", r.Name, r.Health, r.State, r.LastError)
			}
		}
	}
	if n < 17 {
		t.Errorf("%d rules", n)
	}
	s.halt()
}

// asPrometheus asks as Grafana does, with all that variables may choose.
func asPrometheus(addr, expr string) error {
	expr = strings.NewReplacer("$__rate_interval", "10s", "$job", ".*", "$tm", ".*").Replace(expr)
	res, err := http.Get("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Error string
		Data  struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != "" || len(answer.Data.Result) == 0 {
		return fmt.Errorf("%s: no answer %s", expr, answer.Error)
	}
	return nil
}

// asElasticsearch asks as Grafana's data source does: over time, by the first of the
// buckets if it is a term.
func (s *site) asElasticsearch(query, metric, field, by string) error {
	query, field = strings.ReplaceAll(query, "${path}", "*"), strings.ReplaceAll(field, "${field}", "num")
	over := map[string]any{"date_histogram": map[string]any{"field": "createTime", "fixed_interval": "10s", "min_doc_count": 0}}
	if metric != "count" {
		over["aggs"] = map[string]any{"1": map[string]any{metric: map[string]any{"field": field}}}
	}
	aggs := map[string]any{"2": over}
	if by != "createTime" {
		aggs = map[string]any{"3": map[string]any{"terms": map[string]any{"field": by, "size": 10}, "aggs": aggs}}
	}
	body, err := json.Marshal(map[string]any{"size": 0, "query": map[string]any{"bool": map[string]any{"filter": []any{
		map[string]any{"range": map[string]any{"createTime": map[string]any{"gte": time.Now().Add(-time.Hour).UnixMilli(), "lte": time.Now().Add(time.Hour).UnixMilli(), "format": "epoch_millis"}}},
		map[string]any{"query_string": map[string]any{"analyze_wildcard": true, "query": query}},
	}}}, "aggs": aggs})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, s.search+"/"+s.index+"/_search", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(s.user, s.pass)
	req.Header.Set("Content-Type", "application/json")
	type histogram struct {
		Buckets []struct {
			Count int                     `json:"doc_count"`
			Value struct{ Value float64 } `json:"1"`
		}
	}
	var answer struct {
		Aggregations struct {
			Over histogram `json:"2"`
			By   struct {
				Buckets []struct {
					Key  string
					Over histogram `json:"2"`
				}
			} `json:"3"`
		}
		Error json.RawMessage
	}
	if err := s.do(req, &answer); err != nil {
		return err
	}
	all := answer.Aggregations.Over.Buckets
	for _, b := range answer.Aggregations.By.Buckets {
		all = append(all, b.Over.Buckets...)
	}
	for _, b := range all {
		if b.Count > 0 && (metric == "count" || b.Value.Value > 0) {
			return nil
		}
	}
	return fmt.Errorf("nothing: %s: %+v", answer.Error, answer.Aggregations)
}
