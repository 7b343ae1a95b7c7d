package agent_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/weirflow/weirflow/services/agent"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"
)

// update writes what the agent does in the cases of better.json beside what
// Filebeat does.
var update = flag.Bool("update", false, "write weirflow.ndjson of the cases that differ on purpose") //nolint:gochecknoglobals // flag

const (
	casesDir = "testdata/filebeat"
	atOnce   = 32 // cases; they mostly wait
)

// caseMeta is a case.json.
type caseMeta struct {
	Error      bool              `json:"error"`
	Timestamps bool              `json:"timestamps"`
	Keep       []string          `json:"keep"`
	Mask       []string          `json:"mask"`
	HostKeys   bool              `json:"host_keys"`
	HostWhole  bool              `json:"host_whole"`
	Env        map[string]string `json:"env"`
	Idle       float64           `json:"idle"`
	Unstable   string            `json:"unstable"`
}

// caseStep is an item of a steps.json.
type caseStep struct {
	Op   string  `json:"op"`
	File string  `json:"file"`
	To   string  `json:"to"`
	Text string  `json:"text"`
	B64  string  `json:"b64"`
	N    int     `json:"n"`
	S    float64 `json:"s"`
	Gap  float64 `json:"gap"`
	Idle float64 `json:"idle"`
	Size int64   `json:"size"`
}

// differs is an item of better.json: where the agent does not do what Filebeat
// does, and why.
type differs struct {
	// Kind is better; refused for what Filebeat takes and the agent does not; or
	// order, where lines of two files come in another order.
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// TestFilebeat replays recorded cases of Filebeat 8.1.3.
func TestFilebeat(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(casesDir)
	if err != nil {
		t.Fatal(err)
	}
	better := map[string]differs{}
	readJSON(t, "testdata/better.json", &better)
	outcomes := make([]string, len(entries))
	limit := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, e := range entries {
		wg.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			d, listed := better[e.Name()]
			difference := &d
			if !listed {
				difference = nil
			}
			outcomes[i] = replay(t, e.Name(), difference)
		})
	}
	wg.Wait()
	for i, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			if outcomes[i] != "" {
				t.Error(outcomes[i])
			}
		})
	}
	for name := range better {
		if _, err := os.Stat(filepath.Join(casesDir, name)); err != nil {
			t.Errorf("better.json names %s, which is no case", name)
		}
	}
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// player replays one case.
type player struct {
	name, dir, data, aux string
	meta                 caseMeta
	steps                []caseStep
	config               []byte
	out                  *lockedBuffer
	stop                 func() error
	started              time.Time
}

// lockedBuffer is a buffer that is written and read at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimSuffix(l.b.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// replay runs a case and says what is wrong; nothing if it went as expected.
func replay(t *testing.T, name string, d *differs) string {
	p := &player{name: name, out: &lockedBuffer{}}
	if err := p.prepare(t); err != nil {
		return err.Error()
	}
	if p.meta.Error || d != nil && d.Kind == "refused" {
		return p.refusal(d)
	}
	wantFile := filepath.Join(casesDir, name, "expected.ndjson")
	if d != nil && d.Kind == "better" {
		wantFile = filepath.Join(casesDir, name, "weirflow.ndjson")
	}
	want := readLines(wantFile)
	rewrite := *update && d != nil && d.Kind == "better"
	err := p.play(len(want), rewrite)
	if p.stop != nil {
		if e := p.stop(); e != nil && err == nil {
			err = e
		}
	}
	if err != nil {
		return err.Error()
	}
	got := p.normalised()
	if d != nil && d.Kind == "order" {
		slices.Sort(got)
		slices.Sort(want)
	}
	if rewrite {
		if err := os.WriteFile(wantFile, []byte(strings.Join(got, "\n")+"\n"), 0o600); err != nil {
			return err.Error()
		}
		return ""
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return ""
}

func readLines(name string) []string {
	text, err := os.ReadFile(name)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

func (p *player) prepare(t *testing.T) error {
	base := t.TempDir()
	p.dir, p.data, p.aux = filepath.Join(base, "d"), filepath.Join(base, "data"), base
	src := filepath.Join(casesDir, p.name)
	if err := os.CopyFS(p.dir, os.DirFS(src)); err != nil {
		return err
	}
	config, err := os.ReadFile(filepath.Join(src, "filebeat.yml"))
	if err != nil {
		return err
	}
	for _, control := range []string{"filebeat.yml", "case.json", "steps.json", "expected.ndjson", "expected_error.txt", "weirflow.ndjson"} {
		_ = os.Remove(filepath.Join(p.dir, control)) // most cases lack most
	}
	p.config = append(bytes.ReplaceAll(config, []byte("${DIR}"), []byte(p.dir)), "\noutput.console.codec.json: {}\n"...)
	for name, into := range map[string]any{"case.json": &p.meta, "steps.json": &p.steps} {
		text, err := os.ReadFile(filepath.Join(src, name))
		if err != nil {
			continue
		}
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(p.steps) == 0 {
		p.steps = []caseStep{{Op: "start"}}
	}
	return nil
}

func (p *player) settings() agent.Config {
	cfg := agent.DefaultConfig()
	cfg.Files, cfg.Documents = nil, []agent.Document{{Name: "filebeat.yml", Text: p.config}}
	cfg.PathData = p.data
	cfg.Lookup = func(name string) (string, bool) { v, ok := p.meta.Env[name]; return v, ok }
	return cfg
}

func testDeps(stdout io.Writer) (agent.Deps, error) {
	book, err := ledger.NewBook("agent", "test", noop.NewMeterProvider())
	return agent.Deps{
		Logger: slog.New(slog.DiscardHandler), Meters: noop.NewMeterProvider(), Board: status.New("agent", "test"), Book: book, Stdout: stdout,
	}, err
}

// refusal checks whether a configuration is taken.
func (p *player) refusal(d *differs) string {
	refusedByFilebeat := strings.Contains(string(mustRead(filepath.Join(casesDir, p.name, "expected_error.txt"))), "== start: exit 1")
	_, err := os.Stat(filepath.Join(casesDir, p.name, "expected_error.txt"))
	wantRefused := err == nil && refusedByFilebeat
	if d != nil {
		wantRefused = d.Kind == "refused"
	}
	deps, err := testDeps(io.Discard)
	if err != nil {
		return err.Error()
	}
	_, err = agent.New(p.settings(), deps)
	if (err != nil) != wantRefused {
		return fmt.Sprintf("refused: %v (%v), want %v", err != nil, err, wantRefused)
	}
	return ""
}

func mustRead(name string) []byte {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return text
}

func (p *player) start() error {
	deps, err := testDeps(p.out)
	if err != nil {
		return err
	}
	s, err := agent.New(p.settings(), deps)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	p.started = time.Now()
	p.stop = func() error {
		p.stop = nil
		cancel()
		return <-done
	}
	return nil
}

func (p *player) play(want int, slow bool) error {
	for _, s := range p.steps {
		if err := p.step(s); err != nil {
			return fmt.Errorf("step %s: %w", s.Op, err)
		}
	}
	if p.stop == nil {
		return nil
	}
	if want > 0 && !slow {
		p.waitFor(want, 8*time.Second)
	}
	idle := max(p.meta.Idle, 0.4)
	if want == 0 || slow {
		idle = max(idle, 1.2)
	}
	p.quiet(seconds(idle))
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (p *player) waitFor(n int, limit time.Duration) {
	for end := time.Now().Add(limit); len(p.out.lines()) < n && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
}

// quiet waits until nothing has come for a while.
func (p *player) quiet(idle time.Duration) {
	n, since := len(p.out.lines()), time.Now()
	for time.Since(since) < idle {
		time.Sleep(20 * time.Millisecond)
		if m := len(p.out.lines()); m != n {
			n, since = m, time.Now()
		}
	}
}

func (p *player) step(s caseStep) error {
	file, to := filepath.Join(p.dir, s.File), filepath.Join(p.dir, s.To)
	body := []byte(s.Text)
	if s.B64 != "" {
		b, err := base64.StdEncoding.DecodeString(s.B64)
		if err != nil {
			return err
		}
		body = b
	}
	switch s.Op {
	case "start":
		return p.start()
	case "stop":
		return p.stop()
	case "events":
		p.waitFor(s.N, 8*time.Second)
	case "settle":
		p.quiet(seconds(max(s.Idle, 0.6)))
	case "sleep":
		time.Sleep(seconds(s.S))
	default:
		return changeFile(s, file, to, body, p.aux)
	}
	return nil
}

// changeFile does to a file what a step says.
func changeFile(s caseStep, file, to string, body []byte, aux string) error {
	switch s.Op {
	case "append":
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if _, err := f.Write(body); err != nil {
			return err
		}
		return f.Close()
	case "write":
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			return err
		}
		return os.WriteFile(file, body, 0o600)
	case "truncate":
		return os.Truncate(file, s.Size)
	case "rename":
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			return err
		}
		return os.Rename(file, to)
	case "copy":
		return os.WriteFile(to, mustRead(file), 0o600)
	case "delete":
		return os.Remove(file)
	case "recreate":
		fresh := filepath.Join(aux, "fresh")
		if err := os.WriteFile(fresh, body, 0o600); err != nil {
			return err
		}
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			return err
		}
		time.Sleep(seconds(s.Gap))
		return os.Rename(fresh, file)
	case "symlink":
		_ = os.Remove(file) // there may be none
		return os.Symlink(s.To, file)
	case "age":
		at := time.Now().Add(-seconds(s.S))
		return os.Chtimes(file, at, at)
	}
	return fmt.Errorf("unknown step %q", s.Op)
}

// normalised are the events in the form of expected.ndjson.
func (p *player) normalised() []string {
	type one struct {
		path, text string
	}
	var all []one
	for _, line := range p.out.lines() {
		line = strings.ReplaceAll(line, p.dir, "${DIR}")
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var e map[string]any
		if err := d.Decode(&e); err != nil {
			all = append(all, one{text: "not JSON: " + line})
			continue
		}
		path, _ := lookup(e, "log.file.path").(string)
		all = append(all, one{path, canonical(p.normalise(e))})
	}
	slices.SortStableFunc(all, func(a, b one) int { return strings.Compare(a.path, b.path) })
	out := make([]string, len(all))
	for i, o := range all {
		out[i] = o.text
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (p *player) normalise(e map[string]any) map[string]any {
	kept := map[string]any{}
	for _, path := range p.meta.Keep {
		if v := lookup(e, path); v != nil {
			kept[path] = v
		}
	}
	if !p.meta.Timestamps && e["@timestamp"] != nil {
		e["@timestamp"] = "<ts>"
	}
	host := e["host"]
	delete(e, "host")
	switch {
	case host != nil && p.meta.HostKeys:
		e["host"] = keysOnly(host)
	case host != nil && p.meta.HostWhole:
		e["host"] = host
	}
	delete(e, "agent")
	delete(e, "ecs")
	if m, ok := e["@metadata"].(map[string]any); ok {
		maps.DeleteFunc(m, func(k string, _ any) bool { return k == "beat" || k == "type" || k == "version" })
		if len(m) == 0 {
			delete(e, "@metadata")
		}
	}
	for _, path := range p.meta.Mask {
		if lookup(e, path) != nil {
			set(e, path, "<any>")
		}
	}
	for path, v := range kept {
		set(e, path, v)
	}
	return e
}

func keysOnly(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return "<any>"
	}
	out := map[string]any{}
	for k, inner := range m {
		out[k] = keysOnly(inner)
	}
	return out
}

func lookup(e map[string]any, path string) any {
	var v any = e
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[part]
	}
	return v
}

func set(e map[string]any, path string, v any) {
	parts := strings.Split(path, ".")
	for _, part := range parts[:len(parts)-1] {
		next, ok := e[part].(map[string]any)
		if !ok {
			next = map[string]any{}
			e[part] = next
		}
		e = next
	}
	e[parts[len(parts)-1]] = v
}

// canonical is JSON with sorted keys and the number literals as they came.
func canonical(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	// Go escapes two separators that the recordings have as they are.
	return strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(strings.TrimSuffix(b.String(), "\n"))
}
