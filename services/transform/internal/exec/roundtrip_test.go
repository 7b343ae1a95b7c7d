package exec_test

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

const queries = "../../testdata/conformance/queries"

// changes keeps what reaches the sink, as text.
type changes struct{ list []string }

func (c *changes) Write(b *column.Batch, _ *exec.Receipt) error {
	for i := range b.Len {
		text := []string{b.Kind(i).String()}
		for _, v := range b.Cols {
			text = append(text, cell(v, i))
		}
		c.list = append(c.list, strings.Join(text, " "))
	}
	return nil
}

func cell(v *column.Vector, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
	return string(eval.AppendText(nil, v, i, time.UTC))
}

// memory is a checkpoint.
type memory map[string]map[string]map[string][]byte // operator, state, key

type writer struct{ into map[string]map[string][]byte }

func (m memory) writer(op string) exec.StateWriter {
	if m[op] == nil {
		m[op] = make(map[string]map[string][]byte)
	}
	return writer{m[op]}
}

func (w writer) Put(state string, key, value []byte) error {
	if w.into[state] == nil {
		w.into[state] = make(map[string][]byte)
	}
	if value == nil {
		delete(w.into[state], string(key))
		return nil
	}
	w.into[state][string(key)] = bytes.Clone(value)
	return nil
}

type reader struct{ from map[string]map[string][]byte }

func (m memory) reader(op string) exec.StateReader { return reader{m[op]} }

func (r reader) Each(state string, f func(key []byte, value io.Reader) error) error {
	for k, v := range r.from[state] {
		if err := f([]byte(k), bytes.NewReader(v)); err != nil {
			return err
		}
	}
	return nil
}

// build makes the graph of the last query of a script.
func build(t *testing.T, script string) (*exec.Graph, *changes) {
	t.Helper()
	stmts, err := sql.Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	s := sql.NewSession(sql.Options{Validate: connectors.All().Validate})
	var query *plan.Query
	for _, st := range stmts {
		r, err := s.Analyze(st)
		if err != nil {
			if strings.Contains(t.Name(), "err_") {
				t.Skip(err)
			}
			t.Fatal(err)
		}
		query = r.Query
	}
	if query == nil {
		t.Skip("no query")
	}
	out := &changes{}
	g, err := exec.Build([]plan.Node{query.Root}, []exec.Sink{out}, eval.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return g, out
}

// load reads a scan's rows, each as a batch of its own.
func load(t *testing.T, scan *exec.Scan) []*column.Batch {
	t.Helper()
	src, err := connectors.All().Source(connector.Env{Logger: slog.New(slog.DiscardHandler), Now: time.Now}, scan.Plan)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*column.Batch
	err = src.Run(t.Context(), nil, func(c connector.Chunk) error {
		for i := range c.Batch.Len {
			one := &column.Batch{Len: 1}
			for _, v := range c.Batch.Cols {
				x := column.New(v.Type)
				x.AppendRow(v, i)
				one.Cols = append(one.Cols, x)
			}
			rows = append(rows, one)
		}
		c.Release()
		return nil
	})
	if err != nil {
		if strings.Contains(t.Name(), "fail_") || strings.Contains(t.Name(), "ignore_errors") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	return rows
}

// feed pushes the rows from to before to of all scans, row by row in turn.
func feed(t *testing.T, g *exec.Graph, rows [][]*column.Batch, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		for s, scan := range g.Scans {
			if i < len(rows[s]) {
				if err := scan.Push(rows[s][i], nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func finish(t *testing.T, g *exec.Graph) {
	t.Helper()
	for _, s := range g.Scans {
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStateSurvives runs every query to some row, snapshots it, goes on in a new
// graph, and wants what an undisturbed run gives.
func TestStateSurvives(t *testing.T) {
	dirs, err := os.ReadDir(queries)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		text, err := os.ReadFile(filepath.Join(queries, d.Name(), "case.sql"))
		if err != nil {
			t.Fatal(err)
		}
		script := strings.ReplaceAll(string(text), "${DIR}", filepath.Join(queries, d.Name()))
		t.Run(d.Name(), func(t *testing.T) { survives(t, script) })
	}
	for name, query := range moreQueries {
		t.Run(name, func(t *testing.T) { survives(t, strings.ReplaceAll(tables, "${DIR}", queries)+query) })
	}
}

func survives(t *testing.T, script string) {
	g, want := build(t, script)
	var rows [][]*column.Batch
	longest := 0
	for _, s := range g.Scans {
		rows = append(rows, load(t, s))
		longest = max(longest, len(rows[len(rows)-1]))
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	feed(t, g, rows, 0, longest)
	finish(t, g)
	for _, cut := range []int{longest / 4, longest / 2, longest - 1} {
		if cut <= 0 {
			continue
		}
		before, got := build(t, script)
		if err := before.Start(); err != nil {
			t.Fatal(err)
		}
		saved := memory{}
		feed(t, before, rows, 0, cut/2)
		if err := before.Snapshot(saved.writer); err != nil {
			t.Fatal(err)
		}
		feed(t, before, rows, cut/2, cut)
		if err := before.Snapshot(saved.writer); err != nil { // only what changed
			t.Fatal(err)
		}
		after, rest := build(t, script)
		if err := after.Restore(saved.reader); err != nil {
			t.Fatal(err)
		}
		after.Resume(true)
		if err := after.Start(); err != nil {
			t.Fatal(err)
		}
		feed(t, after, rows, cut, longest)
		finish(t, after)
		all := append(slices.Clone(got.list), rest.list...)
		if !slices.Equal(ordered(all), ordered(want.list)) {
			t.Errorf("after a restore at row %d:\n%s\nundisturbed:\n%s", cut, strings.Join(all, "\n"), strings.Join(want.list, "\n"))
		}
	}
}

func ordered(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

const tables = `CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector'='filesystem','path'='${DIR}/join_interval/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE TABLE f (fid INT, k STRING, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector'='filesystem','path'='${DIR}/join_interval/f.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE TEMPORARY VIEW we AS SELECT * FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '20' SECOND));
CREATE TEMPORARY VIEW ef AS SELECT k, ts FROM e UNION ALL SELECT k, ts FROM f;
CREATE TEMPORARY VIEW wf AS SELECT * FROM TABLE(TUMBLE(TABLE f, DESCRIPTOR(ts), INTERVAL '20' SECOND));
`

var moreQueries = map[string]string{
	"aggregates": `SELECT k, LISTAGG(CAST(id AS STRING), '|'), COLLECT(v), ARRAY_AGG(v), JSON_ARRAYAGG(v), JSON_OBJECTAGG(KEY CAST(id AS STRING) VALUE v),
		COUNT(*) FILTER (WHERE v > 10), SUM(DISTINCT v), AVG(CAST(v AS DECIMAL(10, 2))), STDDEV_SAMP(CAST(v AS DECIMAL(10, 2))), VAR_POP(CAST(v AS DOUBLE)),
		SUM(CAST(v AS FLOAT)), MIN(k), MAX(CAST(v AS DECIMAL(10, 2))), FIRST_VALUE(id), LAST_VALUE(id) FROM e GROUP BY k;`,
	"retracted aggregates": `SELECT MIN(c), MAX(c), SUM(c), COUNT(DISTINCT c), FIRST_VALUE(c), LAST_VALUE(c), LISTAGG(CAST(c AS STRING)), ARRAY_AGG(c)
		FROM (SELECT k, COUNT(*) c FROM e GROUP BY k);`,
	"full join":        `SELECT e.id, f.fid FROM e FULL JOIN f ON e.k = f.k AND e.v > f.fid;`,
	"right join":       `SELECT e.id, f.fid FROM e RIGHT JOIN f ON e.k = f.k;`,
	"window join":      `SELECT we.id, wf.fid, we.window_start FROM we FULL JOIN wf ON we.k = wf.k AND we.window_start = wf.window_start AND we.window_end = wf.window_end;`,
	"window semi":      `SELECT id FROM we WHERE k IN (SELECT k FROM wf WHERE wf.window_start = we.window_start AND wf.window_end = we.window_end);`,
	"interval left":    `SELECT e.id, f.fid FROM e LEFT JOIN f ON e.k = f.k AND e.ts BETWEEN f.ts - INTERVAL '5' SECOND AND f.ts + INTERVAL '15' SECOND;`,
	"interval full":    `SELECT e.id, f.fid FROM e FULL JOIN f ON e.k = f.k AND e.ts BETWEEN f.ts - INTERVAL '5' SECOND AND f.ts + INTERVAL '15' SECOND;`,
	"intersect":        `SELECT k FROM e INTERSECT ALL SELECT k FROM f;`,
	"except":           `SELECT k FROM e EXCEPT SELECT k FROM f;`,
	"top of count":     `SELECT * FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY c DESC) rn FROM (SELECT k, COUNT(*) c FROM e GROUP BY k)) WHERE rn BETWEEN 2 AND 3;`,
	"order of count":   `SELECT k, COUNT(*) c FROM e GROUP BY k ORDER BY c DESC, k LIMIT 2 OFFSET 1;`,
	"over range":       `SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW) FROM e;`,
	"over rows":        `SELECT id, MAX(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts), LAG(v, 2) OVER (PARTITION BY k ORDER BY ts) FROM e;`,
	"session groups":   `SELECT window_start, window_end, k, COUNT(DISTINCT v) FROM TABLE(SESSION(TABLE e, DESCRIPTOR(ts), INTERVAL '15' SECOND)) GROUP BY window_start, window_end, k;`,
	"session rows":     `SELECT window_start, window_end, id FROM TABLE(SESSION(TABLE e PARTITION BY k, DESCRIPTOR(ts), INTERVAL '15' SECOND));`,
	"hop offset":       `SELECT window_start, k, COUNT(*) FROM TABLE(HOP(TABLE e, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND, INTERVAL '2' SECOND)) GROUP BY window_start, window_end, k;`,
	"window dedup":     `SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY ts DESC) rn FROM we) WHERE rn = 1;`,
	"union of streams": `SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE ef, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;`,
	"limit":            `SELECT id FROM e LIMIT 5 OFFSET 2;`,
	"order":            `SELECT id, v FROM e ORDER BY v DESC, id LIMIT 4;`,
}

// TestOperatorsAreKnownByWhatTheyDo adds statements and columns, and wants the
// operators that do the same to have the same ids, and others others.
func TestOperatorsAreKnownByWhatTheyDo(t *testing.T) {
	ddl := strings.ReplaceAll(tables, "${DIR}", queries)
	ids := func(query string) []string {
		g, _ := build(t, ddl+query)
		var ids []string
		for _, o := range g.Remembers() {
			if o.Shape != "" {
				ids = append(ids, o.ID)
			}
		}
		return ids
	}
	base := ids("SELECT k, COUNT(*) AS n FROM e WHERE v > 1 GROUP BY k;")
	for name, tt := range map[string]struct {
		query string
		same  bool
	}{
		"the same":         {"SELECT k, COUNT(*) AS n FROM e WHERE v > 1 GROUP BY k;", true},
		"other names":      {"SELECT x AS y, COUNT(*) AS many FROM (SELECT k AS x, v FROM e) WHERE v > 1 GROUP BY x;", true},
		"beside another":   {"SELECT k, COUNT(*) FROM e WHERE v > 1 GROUP BY k UNION ALL SELECT CAST(id AS STRING), SUM(v) FROM e GROUP BY id;", true},
		"another key":      {"SELECT id, COUNT(*) AS n FROM e WHERE v > 1 GROUP BY id;", false},
		"another table":    {"SELECT k, COUNT(*) AS n FROM f WHERE fid > 1 GROUP BY k;", false},
		"another function": {"SELECT k, SUM(v) AS n FROM e WHERE v > 1 GROUP BY k;", false},
		"another filter":   {"SELECT k, COUNT(*) AS n FROM e WHERE v > 2 GROUP BY k;", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ids(tt.query); slices.Contains(got, base[0]) != tt.same {
				t.Errorf("operators %v, that of the query was %v", got, base)
			}
		})
	}
}

func TestStateOfAnotherPlanIsRefused(t *testing.T) {
	ddl := strings.ReplaceAll(tables, "${DIR}", queries)
	g, _ := build(t, ddl+"SELECT k, COUNT(*) FROM e GROUP BY k;")
	saved := memory{}
	if err := g.Snapshot(saved.writer); err != nil {
		t.Fatal(err)
	}
	other, _ := build(t, ddl+"SELECT k, SUM(v) FROM e GROUP BY k;")
	were := g.Remembers()
	if err := other.Restore(func(string) exec.StateReader { return saved.reader(were[len(were)-1].ID) }); err == nil || !strings.Contains(err.Error(), "state of another form") {
		t.Errorf("error %v", err)
	}
}
