package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weirflow/weirflow/gateway"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// jobs is a transform that knows one job.
type jobs struct {
	jobv1.UnimplementedJobServiceServer
	ledgerv1.UnimplementedLedgerServiceServer
	statusv1.UnimplementedStatusServiceServer
}

func (jobs) GetJob(_ context.Context, r *jobv1.GetJobRequest) (*jobv1.GetJobResponse, error) {
	if r.GetName() != "one" {
		return nil, status.Errorf(codes.NotFound, "there is no job %q", r.GetName())
	}
	return &jobv1.GetJobResponse{Job: &jobv1.Job{Name: "one", Status: &jobv1.JobStatus{State: jobv1.JobState_JOB_STATE_RUNNING}}}, nil
}

func (jobs) ValidateJob(_ context.Context, r *jobv1.ValidateJobRequest) (*jobv1.ValidateJobResponse, error) {
	return &jobv1.ValidateJobResponse{Problems: []*jobv1.Problem{{Line: 1, Message: r.GetSql()}}}, nil
}

func (jobs) GetLedger(context.Context, *ledgerv1.GetLedgerRequest) (*ledgerv1.GetLedgerResponse, error) {
	return &ledgerv1.GetLedgerResponse{Stages: []*ledgerv1.Stage{{Service: "transform", Name: "one", In: 3, Out: 2, Filtered: 1}}}, nil
}

// start runs a gateway before that transform and an ingest that has no APIs.
func start(t *testing.T, change func(*gateway.Config)) http.Handler {
	t.Helper()
	tel, err := telemetry.New(t.Context(), "gateway", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	env, err := process.NewEnv("gateway", "test", tel)
	if err != nil {
		t.Fatal(err)
	}
	backends := map[string]grpc.ClientConnInterface{}
	for _, name := range []string{"ingest", "transform"} {
		g, err := rpc.NewServer(rpc.ServerConfig{Listen: rpc.InMemory}, tel)
		if err != nil {
			t.Fatal(err)
		}
		if name == "transform" {
			jobv1.RegisterJobServiceServer(g, jobs{})
			ledgerv1.RegisterLedgerServiceServer(g, jobs{})
			statusv1.RegisterStatusServiceServer(g, jobs{})
		}
		go func() { _ = g.Serve(g.Listener()) }()
		t.Cleanup(g.Stop)
		if backends[name], err = rpc.DialServer(g, rpc.ClientConfig{}, tel); err != nil {
			t.Fatal(err)
		}
	}
	cfg := gateway.DefaultConfig()
	cfg.Listen, cfg.Kafka.Brokers = "127.0.0.1:0", nil
	if change != nil {
		change(&cfg)
	}
	s, err := gateway.New(cfg, gateway.Deps{
		Logger: tel.Logger, Meters: tel.Meters, Tracers: tel.Tracers, Propagator: tel.Propagator, Board: env.Board, Backends: backends,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

func call(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8080"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	h := start(t, nil)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"health", "GET", "/healthz", "", 200, `"status":"ok"`},
		{"index", "GET", "/api/", "", 200, `"openapi":"/openapi.json"`},
		{"console", "GET", "/", "", 200, `<div id="root">`},
		{"a page of the console", "GET", "/jobs/one", "", 200, `<div id="root">`},
		{"openapi", "GET", "/openapi.json", "", 200, `"openapi": "3.`},
		{"job", "GET", "/api/v1/jobs/one", "", 200, `"state":"JOB_STATE_RUNNING"`},
		{"absent job", "GET", "/api/v1/jobs/two", "", 404, `"message":"there is no job \"two\""`},
		{"custom verb", "POST", "/api/v1/jobs:validate", `{"sql":"SELECT"}`, 200, `"message":"SELECT"`},
		{"broken body", "POST", "/api/v1/jobs:validate", `{"sql":`, 400, `"code":3`},
		{"unknown field", "POST", "/api/v1/jobs:validate", `{"sqll":"x"}`, 400, `"code":3`},
		{"not implemented", "GET", "/api/v1/topics", "", 501, `"code":12`},
		{"absent path", "GET", "/nowhere.txt", "", 404, `"code":5`},
		{"wrong method", "PATCH", "/api/v1/jobs/one", "", 405, `"code":12`},
		{"ledger of all", "GET", "/api/v1/ledger", "", 200, `"in":"3"`},
		{"ledger names who is silent", "GET", "/api/v1/ledger", "", 200, `"unreachable":{"ingest"`},
		{"status names who is silent", "GET", "/api/v1/status", "", 200, `"name":"gRPC"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := call(h, c.method, c.path, c.body)
			if w.Code != c.status || !strings.Contains(strings.ReplaceAll(w.Body.String(), `": {`, `":{`), c.want) {
				t.Errorf("%s %s = %d %.300s; want %d and %s", c.method, c.path, w.Code, w.Body, c.status, c.want)
			}
			if c.status >= 400 {
				var e struct {
					Code    *int    `json:"code"`
					Message *string `json:"message"`
				}
				if json.Unmarshal(w.Body.Bytes(), &e) != nil || e.Code == nil || e.Message == nil {
					t.Errorf("error is not JSON with code and message: %s", w.Body)
				}
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("security headers are missing")
			}
		})
	}
}

func TestTokenIsAsked(t *testing.T) {
	h := start(t, func(c *gateway.Config) { c.Token = "right" })
	for header, want := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer right": 200, "bearer right": 401} {
		if w := call(h, "GET", "/api/v1/jobs/one", "", "Authorization", header); w.Code != want {
			t.Errorf("Authorization %q: %d, want %d", header, w.Code, want)
		}
	}
	if w := call(h, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("health without a token: %d", w.Code)
	}
}

func TestForeignPageCantWrite(t *testing.T) {
	h := start(t, nil)
	w := call(h, "POST", "/api/v1/jobs:validate", `{}`, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	if w.Code != http.StatusForbidden {
		t.Errorf("a page of another origin may write: %d", w.Code)
	}
}

func TestListeningBeyondLoopbackNeedsAToken(t *testing.T) {
	cfg := gateway.DefaultConfig()
	cfg.Listen = "0.0.0.0:8080"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "gateway.token") {
		t.Errorf("err = %v", err)
	}
	cfg.Token = "t"
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}

func TestSearchProxyOnlyReads(t *testing.T) {
	var got []string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		got = append(got, r.Method+" "+r.URL.Path+" "+user+":"+password)
		_, _ = io.WriteString(w, `{"hits":{}}`)
	}))
	defer store.Close()
	h := start(t, func(c *gateway.Config) { c.Search = gateway.Search{URL: store.URL, Username: "elastic", Password: "p"} })
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"POST", "/api/v1/search/i/_search", 200},
		{"GET", "/api/v1/search/_cat/indices", 200},
		{"DELETE", "/api/v1/search/i", 403},
		{"POST", "/api/v1/search/_bulk", 403},
		{"PUT", "/api/v1/search/i/_doc/1", 403},
		{"POST", "/api/v1/search/i/_delete_by_query", 403},
		{"POST", "/api/v1/search/i/t%2F_search", 400},
		{"POST", "/api/v1/search/i%2f_doc%2f_search", 400},
		{"GET", "/api/v1/search/_all/_delete%5c_search", 400},
		{"POST", "/api/v1/search/_search/scroll", 403},
		{"POST", "/api/v1/search/_search/template", 403},
		{"POST", "/api/v1/search/_msearch/template", 403},
		{"POST", "/api/v1/search/_cat/indices", 403},
		{"GET", "/api/v1/search/i/..%2f..%2f_cat/indices", 400},
		{"GET", "/api/v1/search/i//_search", 307},
	} {
		if w := call(h, c.method, c.path, "{}"); w.Code != c.status {
			t.Errorf("%s %s = %d, want %d", c.method, c.path, w.Code, c.status)
		}
	}
	if len(got) != 2 || got[0] != "POST /i/_search elastic:p" || got[1] != "GET /_cat/indices elastic:p" {
		t.Errorf("the store saw %q", got)
	}
	store.Close()
	if w := call(h, "POST", "/api/v1/search/i/_search", "{}"); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "does not answer") {
		t.Errorf("without a store: %d %s", w.Code, w.Body)
	}
}

// A page whose name was made to lead to this machine is no stranger to the browser.
func TestForeignNameIsRefusedWithoutAToken(t *testing.T) {
	for _, c := range []struct {
		host  string
		token bool
		want  int
	}{
		{"127.0.0.1:8080", false, 200},
		{"localhost:8080", false, 200},
		{"[::1]:8080", false, 200},
		{"localhost", false, 200},
		{"evil.example:8080", false, 421},
		{"127.0.0.1.evil.example", false, 421},
		{"weirflow.example", true, 200},
	} {
		h := start(t, func(cfg *gateway.Config) {
			if c.token {
				cfg.Token = "right"
			}
		})
		r := httptest.NewRequest(http.MethodGet, "/api/v1/jobs/one", http.NoBody)
		r.Host = c.host
		r.Header.Set("Authorization", "Bearer right")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("Host %q: %d %s, want %d", c.host, w.Code, w.Body, c.want)
		}
	}
}

func TestHalfOfTLSIsRefused(t *testing.T) {
	for _, half := range []rpc.TLS{{CertFile: "c"}, {KeyFile: "k"}, {CAFile: "ca"}} {
		if c, err := half.Server(); err == nil || c != nil {
			t.Errorf("%+v serves without TLS, or without asking for certificates", half)
		}
	}
}

// Each line of a stream is a result or, as the last one, an error.
func TestStreamErrorsNameThemselves(t *testing.T) {
	w := call(start(t, nil), "GET", "/api/v1/topics/x/messages:follow", "")
	var line struct {
		Error struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(w.Body.Bytes(), &line) != nil || line.Error.Code != int(codes.Unimplemented) || line.Error.Message == "" || w.Code != http.StatusNotImplemented {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
