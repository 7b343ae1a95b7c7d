package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// flink is a running Flink with its SQL gateway, as scripts/real/flink/start.sh
// starts it. Its TaskManager is what is measured: the JobManager and the gateway
// only plan.
type flink struct {
	gateway, rest string
	worker        *proc
	client        *http.Client
}

// openFlink returns nil if none is to be measured.
func openFlink(run, gateway, rest string) (*flink, error) {
	if run == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(run, "taskmanager.pid"))
	if err != nil {
		return nil, fmt.Errorf("find Flink's TaskManager: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("read the TaskManager's pid: %w", err)
	}
	return &flink{gateway: gateway, rest: rest, worker: &proc{name: "Flink", pid: pid}, client: &http.Client{Timeout: time.Minute}}, nil
}

func (f *flink) call(ctx context.Context, method, url string, body, answer any) error {
	in := &bytes.Buffer{}
	if body != nil {
		if err := json.NewEncoder(in).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		var e struct{ Errors []string }
		_ = json.NewDecoder(res.Body).Decode(&e)
		return fmt.Errorf("flink answers %s: %s", res.Status, strings.Join(e.Errors, "; "))
	}
	return json.NewDecoder(res.Body).Decode(answer)
}

// execute runs a statement and returns the id of the job that it started.
func (f *flink) execute(ctx context.Context, session, statement string) (string, error) {
	var op struct{ OperationHandle string }
	base := f.gateway + "/v1/sessions/" + session
	if err := f.call(ctx, http.MethodPost, base+"/statements", map[string]any{"statement": statement}, &op); err != nil {
		return "", err
	}
	for {
		var page struct{ ResultType, JobID string }
		if err := f.call(ctx, http.MethodGet, base+"/operations/"+op.OperationHandle+"/result/0", nil, &page); err != nil {
			return "", err
		}
		if page.ResultType != "NOT_READY" {
			return page.JobID, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// run runs a script with parallelism 2, one slot for each core, and objects used
// again. It returns how long the tasks ran: not what it took to plan and to deploy them.
func (f *flink) run(script string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	var open struct{ SessionHandle string }
	err := f.call(ctx, http.MethodPost, f.gateway+"/v1/sessions", map[string]any{"properties": map[string]string{
		"parallelism.default": strconv.Itoa(partitions), "pipeline.object-reuse": "true", "restart-strategy.type": "none", "table.local-time-zone": "UTC",
	}}, &open)
	if err != nil {
		return 0, err
	}
	defer func() {
		var none struct{}
		_ = f.call(context.WithoutCancel(ctx), http.MethodDelete, f.gateway+"/v1/sessions/"+open.SessionHandle, nil, &none)
	}()
	job := ""
	for _, s := range split(script) {
		id, err := f.execute(ctx, open.SessionHandle, s)
		if err != nil {
			return 0, err
		}
		if id != "" {
			job = id
		}
	}
	if job == "" {
		return 0, errors.New("flink started no job")
	}
	return f.finished(ctx, job)
}

// finished waits for a job and returns how long its tasks ran.
func (f *flink) finished(ctx context.Context, job string) (time.Duration, error) {
	for ; ; time.Sleep(50 * time.Millisecond) {
		var s struct {
			State      string
			Timestamps map[string]int64
			Vertices   []struct {
				StartTime int64 `json:"start-time"`
				EndTime   int64 `json:"end-time"`
			}
		}
		if err := f.call(ctx, http.MethodGet, f.rest+"/jobs/"+job, nil, &s); err != nil {
			return 0, err
		}
		switch s.State {
		case "FINISHED":
			start, end := s.Timestamps["FINISHED"], s.Timestamps["CREATED"]
			for _, v := range s.Vertices {
				start, end = min(start, v.StartTime), max(end, v.EndTime)
			}
			return time.Duration(end-start) * time.Millisecond, nil
		case "FAILED", "CANCELED":
			return 0, fmt.Errorf("flink's job %s: %s", job, s.State)
		}
	}
}
