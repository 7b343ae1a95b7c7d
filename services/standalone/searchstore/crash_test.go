package searchstore_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore"
)

// childEnv names the data directory to a child process of the crash test.
const childEnv = "SEARCHSTORE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := serveChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveChild runs a store and prints its address.
func serveChild(dir string) error {
	cfg := searchstore.DefaultConfig()
	cfg.DataDir, cfg.Listen = dir, "127.0.0.1:0"
	s, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		return err
	}
	go func() {
		<-s.Ready()
		fmt.Println("ready", s.Addr())
	}()
	return s.Run(context.Background())
}

// startChild runs this test binary as a store.
func startChild(t *testing.T, dir string) (cmd *exec.Cmd, url string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), exe, "-test.run=XXX")
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		if addr, ok := strings.CutPrefix(sc.Text(), "ready "); ok {
			return cmd, "http://" + addr
		}
	}
	t.Fatal("the child did not start")
	return nil, ""
}

// bulkIDs writes documents with ids from..to and says whether all of them
// were acknowledged.
func bulkIDs(ctx context.Context, url string, from, to int) (bool, error) {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":\"crash\",\"_id\":\"d%d\"}}\n{\"n\":%d,\"text\":\"line number %d\"}\n", i, i, i)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/_bulk", &b)
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }()
	var ans struct{ Errors bool }
	if err := json.NewDecoder(res.Body).Decode(&ans); err != nil {
		return false, err
	}
	return res.StatusCode == http.StatusOK && !ans.Errors, nil
}

// TestKill kills a store in the middle of writing, several times on the same
// data, and looks for every document that was acknowledged.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := map[int]bool{}
	next := 0
	for round := range 5 {
		cmd, url := startChild(t, dir)
		killed := make(chan struct{})
		delay := time.Duration(120+90*round) * time.Millisecond
		time.AfterFunc(delay, func() {
			_ = cmd.Process.Kill()
			close(killed)
		})
		size := 1 + round*40 // from single documents to small bulks: merging inside and outside of commits
		for alive := true; alive; {
			ok, err := bulkIDs(t.Context(), url, next, next+size)
			if ok {
				for i := next; i < next+size; i++ {
					acked[i] = true
				}
			}
			next += size
			alive = err == nil
		}
		<-killed
		_ = cmd.Wait()
	}
	if len(acked) < 50 {
		t.Fatalf("only %d documents were acknowledged: the test shows nothing", len(acked))
	}
	s := open(t, dir)
	h := s.Handler()
	for i := range acked {
		code, body := call(t, h, http.MethodGet, fmt.Sprintf("/crash/_doc/d%d", i), "")
		if code != http.StatusOK || !strings.Contains(body, fmt.Sprintf(`"n":%d,`, i)) {
			t.Fatalf("document d%d was acknowledged and is not there: %d %s", i, code, body)
		}
	}
	// Each document is there once, and the columns agree with the sources.
	var ans struct {
		Hits struct {
			Total struct{ Value int }
		}
		Aggregations struct {
			C, V struct{ Value int }
		}
	}
	body := must(t, h, http.MethodPost, "/crash/_search", `{"size":0,"track_total_hits":true,"aggs":{"c":{"cardinality":{"field":"n"}},"v":{"value_count":{"field":"n"}}}}`)
	if err := json.Unmarshal([]byte(body), &ans); err != nil {
		t.Fatal(err)
	}
	if total := ans.Hits.Total.Value; total < len(acked) || ans.Aggregations.C.Value != total || ans.Aggregations.V.Value != total {
		t.Fatalf("%d acknowledged, answer %s", len(acked), body)
	}
	t.Logf("%d documents acknowledged, %d found", len(acked), ans.Hits.Total.Value)
}

// TestTakenPort checks that a taken address is named.
func TestTakenPort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := searchstore.DefaultConfig()
	cfg.Listen, cfg.DataDir = "127.0.0.1:0", t.TempDir()
	first, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- first.Run(ctx) }()
	<-first.Ready()
	cfg.Listen, cfg.DataDir = first.Addr(), t.TempDir()
	second, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	err = second.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), first.Addr()) {
		t.Errorf("want an error that names %s, got %v", first.Addr(), err)
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
