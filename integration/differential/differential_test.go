//go:build integration

package differential

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sides are the two systems, with the table t.
type sides struct {
	flink *gateway
	ours  *engine
	ddl   string
}

func setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	n, err := strconv.Atoi(setting(name, strconv.Itoa(otherwise)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// open connects to Flink, or skips the test when there is none.
func open(t *testing.T) *sides {
	t.Helper()
	url, zone := setting("FLINK_GATEWAY", "http://127.0.0.1:18083"), setting("ZONE", "UTC")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/info", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Skipf("no Flink SQL gateway at %s (scripts/real/flink/start.sh starts one; FLINK_GATEWAY says where it is): %v", url, err)
	}
	_ = res.Body.Close()
	g, err := openGateway(t.Context(), url, zone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.close(context.WithoutCancel(t.Context())) })
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	ddl, err := os.ReadFile("testdata/t.sql")
	if err != nil {
		t.Fatal(err)
	}
	s := &sides{flink: g, ours: &engine{zone: zone}, ddl: strings.ReplaceAll(string(ddl), "${DIR}", dir)}
	if _, err := g.execute(t.Context(), strings.TrimSuffix(strings.TrimSpace(s.ddl), ";")); err != nil {
		t.Fatal(err)
	}
	return s
}

// both evaluates expressions on both sides.
func (s *sides) both(ctx context.Context, exprs []string) (flink, ours []answer, err error) {
	flink, err = evaluate(ctx, exprs, s.flink.execute)
	if err != nil {
		return nil, nil, err
	}
	ours, err = evaluate(ctx, exprs, func(ctx context.Context, q string) (*result, error) { return s.ours.run(ctx, s.ddl+q+";") })
	return flink, ours, err
}

// tally counts what was found, by kind.
type tally struct {
	agreed, refusedBoth, known int
	differ                     map[string]int
}

func (c *tally) String() string {
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(c.differ)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", k, c.differ[k]))
	}
	if kinds == nil {
		kinds = []string{"none"}
	}
	return fmt.Sprintf("agreed %d (of them refused by both %d), known to differ %d, differ: %s", c.agreed, c.refusedBoth, c.known, strings.Join(kinds, ", "))
}

func (c *tally) expression(t *testing.T, e string, flink, ours answer) {
	t.Helper()
	kind, text := difference(flink, ours)
	switch why := known(e, flink); {
	case kind == "":
		c.agreed++
		if flink.err != "" {
			c.refusedBoth++
		}
	case why != "":
		c.known++
	default:
		c.differ[kind]++
		t.Errorf("%s: %s\n%s", kind, e, text)
	}
}

// TestListed compares the expressions of those testdata/*.txt whose name holds
// ONLY. All take a quarter of an hour, so without ONLY none is compared: what they
// found is held by the engine's own conformance tests, in the form that
// RECORD=file writes Flink's answers in.
func TestListed(t *testing.T) {
	only := setting("ONLY", "")
	if only == "" {
		t.Skip("ONLY says which lists to compare, .txt all of them")
	}
	s := open(t)
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no lists: %v", err)
	}
	record := make(map[string]map[string]recorded)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !strings.Contains(filepath.Base(file), only) {
			continue
		}
		record[name] = make(map[string]recorded)
		t.Run(name, func(t *testing.T) {
			c := &tally{differ: make(map[string]int)}
			for chunk := range slices.Chunk(lines(t, file), number(t, "BATCH", 40)) {
				flink, ours, err := s.both(t.Context(), chunk)
				if err != nil {
					t.Fatal(err)
				}
				for i, e := range chunk {
					c.expression(t, e, flink[i], ours[i])
					if known(e, flink[i]) == "" {
						record[name][e] = recordOf(flink[i])
					}
				}
			}
			t.Log(c)
		})
	}
	if path := setting("RECORD", ""); path != "" {
		b, err := json.MarshalIndent(record, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

type recorded struct {
	Values map[string]*string `json:"values,omitempty"`
	Type   string             `json:"type,omitempty"`
	Error  string             `json:"error,omitempty"`
}

func recordOf(a answer) recorded {
	if a.err != "" {
		return recorded{Error: brief(a.err)}
	}
	out := recorded{Type: a.typ, Values: make(map[string]*string)}
	for id := 1; id <= a.ids; id++ {
		key := strconv.Itoa(id)
		out.Values[key] = nil
		if s, ok := a.rows[key]; ok {
			out.Values[key] = &s
		}
	}
	return out
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// TestExpressions compares random expressions: EXPRESSIONS of them, made from SEED.
func TestExpressions(t *testing.T) {
	s := open(t)
	seed := uint64(number(t, "SEED", 1))
	g := newGenerator(rand.New(rand.NewPCG(seed, 0)))
	c := &tally{differ: make(map[string]int)}
	for left := number(t, "EXPRESSIONS", 200); left > 0; {
		// What may fail on a value goes in small company: each failure costs a job.
		n, risky := 40, g.rand.IntN(8) == 0
		if risky {
			n = 4
		}
		exprs := g.expressions(min(n, left), risky)
		left -= len(exprs)
		flink, ours, err := s.both(t.Context(), exprs)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range exprs {
			c.expression(t, e, flink[i], ours[i])
		}
	}
	t.Logf("seed %d: %s", seed, c)
}

// TestQueries compares random queries over random streams: QUERIES of them, made from SEED.
func TestQueries(t *testing.T) {
	s := open(t)
	seed := uint64(number(t, "SEED", 1))
	g := newGenerator(rand.New(rand.NewPCG(seed, 1)))
	agreed, differ := 0, map[string]int{}
	dir := ""
	for n := range number(t, "QUERIES", 30) {
		if n%10 == 0 { // other streams now and then
			dir = t.TempDir()
			for _, name := range []string{"e", "f"} {
				if err := g.stream(filepath.Join(dir, name+".ndjson"), 12+g.rand.IntN(30)); err != nil {
					t.Fatal(err)
				}
				_, _ = s.flink.execute(t.Context(), "DROP TABLE IF EXISTS "+name)
			}
			for _, ddl := range tables(dir) {
				if _, err := s.flink.execute(t.Context(), ddl); err != nil {
					t.Fatal(err)
				}
			}
		}
		q := g.query()
		flink, flinkErr := s.flink.execute(t.Context(), q)
		if flinkErr != nil && !isRefusal(flinkErr) {
			t.Fatal(flinkErr)
		}
		ours, err := s.ours.run(t.Context(), strings.Join(tables(dir), ";\n")+";\n"+q+";\n")
		kind, text := "", ""
		switch {
		case flinkErr != nil && err != nil:
		case flinkErr != nil && strings.Contains(flinkErr.Error(), "TableException"):
			agreed++ // a plan that Flink does not have
			continue
		case flinkErr != nil:
			kind, text = "we accept", "  flink error "+brief(flinkErr.Error())
		case err != nil:
			kind, text = "we refuse", "  ours error "+brief(err.Error())
		default:
			if text = queryDifference(flink, ours); text == onlyInserts && outerJoin.MatchString(q) {
				text = ""
			}
			if text != "" {
				kind = "value"
			}
		}
		if kind == "" {
			agreed++
			continue
		}
		differ[kind]++
		t.Errorf("%s: %s\n%s\n  streams of query %d, seed %d", kind, q, strings.TrimSuffix(text, "\n"), n, seed)
	}
	t.Logf("seed %d: agreed %d, differ %v", seed, agreed, differ)
}
