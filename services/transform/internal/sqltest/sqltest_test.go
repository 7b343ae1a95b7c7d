package sqltest_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sqltest"
)

// suite writes a file of tests and runs it.
func suite(t *testing.T, text string, o sqltest.Options) (out string, err error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.test.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	o.Out = &b
	err = sqltest.RunAll([]string{dir}, o)
	return strings.ReplaceAll(b.String(), dir+string(filepath.Separator), ""), err
}

const head = `
sql: |
  CREATE TABLE src (k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts)
    WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'b:1', 'format' = 'json');
  CREATE TABLE dim (k STRING, name STRING) WITH ('connector' = 'elasticsearch-7', 'hosts' = 'http://h:1', 'index' = 'dim');
  CREATE TABLE up (k STRING, v INT, PRIMARY KEY (k) NOT ENFORCED)
    WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'properties.bootstrap.servers' = 'b:1', 'key.format' = 'json', 'value.format' = 'json');
  CREATE TABLE meta (v INT, p INT METADATA FROM 'partition', o BIGINT METADATA FROM 'offset', h MAP<STRING, BYTES> METADATA FROM 'headers', since TIMESTAMP_LTZ(3) METADATA FROM 'timestamp')
    WITH ('connector' = 'kafka', 'topic' = 'm', 'properties.bootstrap.servers' = 'b:1', 'format' = 'csv');
  CREATE TABLE sums (k STRING, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'print');
  CREATE TABLE out1 (k STRING, v INT) WITH ('connector' = 'print');
  CREATE TABLE out2 (w TIMESTAMP(3), n BIGINT) WITH ('connector' = 'print');
  CREATE TABLE out3 (a INT, b INT, c BIGINT, d STRING, e TIMESTAMP_LTZ(3)) WITH ('connector' = 'print');
  INSERT INTO sums SELECT k, SUM(v) FROM src GROUP BY k;
  INSERT INTO out1 SELECT d.name, s.v FROM src AS s JOIN dim FOR SYSTEM_TIME AS OF s.pt AS d ON s.k = d.k;
  INSERT INTO out1 SELECT k, v FROM up;
  INSERT INTO out2 SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(pt), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
  INSERT INTO out3 SELECT v, p, o, DECODE(h['x'], 'UTF-8'), since FROM meta;
clock: 2024-01-01 00:00:30
tests:
`

func TestWhatTestsCanSay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ test, want string }{
		"final result by key": {`
  - name: x
    steps: [{into: src, rows: [{k: a, v: 1}, {k: b, v: 5}, {k: a, v: 2}]}]
    expect: {sums: [{k: b, v: 5}, {k: a, v: 3}]}`, "1 passed, 0 failed"},
		"changelog": {`
  - name: x
    steps: [{into: src, rows: [{k: a, v: 1}, [a, 2]]}]
    expect: {sums: {changelog: true, rows: [{k: a, v: 1}, {$op: -U, k: a, v: 1}, {$op: +U, k: a, v: 3}]}}`, "1 passed, 0 failed"},
		"lookup and deletion": {`
  - name: x
    steps:
      - {into: dim, rows: [{k: a, name: Anna}]}
      - {into: src, rows: [{k: a, v: 1}, {k: b, v: 2}]}
      - {into: up, rows: [{k: z, v: 7}, {k: y, v: 8}, {$key: {k: z}, $value: null}]}
    expect: {out1: [{k: Anna, v: 1}, {k: y, v: 8}]}`, "1 passed, 0 failed"},
		"the clock closes windows of processing time": {`
  - name: x
    open: true
    steps:
      - {into: src, rows: [{k: a}]}
      - {advance: 20 s}
      - {into: src, rows: [{k: a}]}
      - {advance: 10 s}
      - {into: src, rows: [{k: a}]}
      - {at: "2024-01-01 00:02:00"}
      - {into: src, rows: [{k: a}]}
    expect: {out2: {ordered: true, rows: [{w: "2024-01-01 00:00:00", n: 2}, {w: "2024-01-01 00:01:00", n: 1}]}}`, "1 passed, 0 failed"},
		"metadata and csv": {`
  - name: x
    steps: [{into: meta, partition: 3, rows: [[7], {$value: "8", $headers: {x: y}, $timestamp: "2024-02-03 04:05:06"}]}]
    expect: {out3: [{a: 7, b: 3, c: 0, d: null, e: "2024-01-01 00:00:30Z"}, {a: 8, b: 3, c: 1, d: y, e: "2024-02-03 04:05:06Z"}]}`, "1 passed, 0 failed"},
		"error": {`
  - name: x
    steps: [{into: src, lines: "{"}]
    error: topic "t", partition 0, offset 0`, "1 passed, 0 failed"},
		"no such error": {`
  - name: x
    error: boom`, `the job ends without an error, and one with "boom" is expected`},
		"unknown table to read":   {"\n  - name: x\n    steps: [{into: scr, rows: [[1]]}]\n    expect: {sums: []}", `the job reads no table "scr"; it reads dim, meta, src, up`},
		"unknown table to write":  {"\n  - name: x\n    expect: {summs: []}", `the job writes no table "summs"; did you mean "sums"?`},
		"unknown column":          {"\n  - name: x\n    expect: {sums: [{vv: 1}]}", `table "sums" has no column "vv"`},
		"nothing expected":        {"\n  - name: x", "the test expects nothing"},
		"unknown key":             {"\n  - name: x\n    expcet: {}", `unknown field "expcet"`},
		"a step that does both":   {"\n  - name: x\n    steps: [{into: src, advance: 1 s}]", "step 1: give one of into, advance and at"},
		"the clock does not turn": {"\n  - name: x\n    steps: [{at: '2023-01-01'}]\n    expect: {sums: []}", "the clock does not go back"},
		"late rows":               {"\n  - name: x\n    late: 2\n    expect: {sums: []}", "0 rows came too late, and 2 are expected to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := suite(t, head+tt.test, sqltest.Options{})
			if !strings.Contains(out, tt.want) {
				t.Errorf("it says\n%s", out)
			}
			if failed := !strings.HasPrefix(tt.want, "1 passed"); failed != errors.Is(err, sqltest.ErrFailed) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	out, err := suite(t, head+`
  - name: sums
    steps: [{into: src, rows: [{k: 世界, v: 1}, {k: b, v: 5}, {k: new, v: 2}]}]
    expect: {sums: [{k: b, v: 5}, {k: 世界, v: 3}, {k: gone, v: 9}]}`, sqltest.Options{Color: true})
	if !errors.Is(err, sqltest.ErrFailed) {
		t.Errorf("error %v", err)
	}
	want := "    sums: 2 missing (-), 2 not expected (+)\n" +
		"        k    | v\n" +
		"        b    | 5\n" +
		"\x1b[31m      - 世界 | 3\x1b[0m\n" +
		"\x1b[32m      + 世界 | 1\x1b[0m\n" +
		"\x1b[31m      - gone | 9\x1b[0m\n" +
		"\x1b[32m      + new  | 2\x1b[0m\n"
	if !strings.Contains(out, want) {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "u.test.yaml")
	const before = `# a comment
  - name: right # stays
    steps: [{into: src, rows: [{k: a, v: 1}]}]
    expect:
      sums:
      - {k: a, v: 1}

  - name: wrong
    expect:
      sums: {ordered: true, rows: [{v: 9}]}
      out2: []
    steps: [{into: src, rows: [{k: "a\"b", v: 1}, {k: c, v: 2}]}]

  - name: empty
    # nothing yet
    steps: [{into: up, rows: [{k: a, v: 1}]}]
# the end
`
	const after = `# a comment
  - name: right # stays
    steps: [{into: src, rows: [{k: a, v: 1}]}]
    expect:
      sums:
      - {k: a, v: 1}

  - name: wrong
    expect:
      out2:
        - {w: "2024-01-01 00:00:00", "n": 2}
      sums:
        ordered: true
        rows:
          - {v: 1}
          - {v: 2}
    steps: [{into: src, rows: [{k: "a\"b", v: 1}, {k: c, v: 2}]}]

  - name: empty
    # nothing yet
    steps: [{into: up, rows: [{k: a, v: 1}]}]
    expect:
      out1:
        - {k: "a", v: 1}
      out2: []
      out3: []
      sums: []
# the end
`
	if err := os.WriteFile(path, []byte(head+before), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sqltest.RunAll([]string{path}, sqltest.Options{Out: &b, Update: true}); err != nil {
		t.Fatal(err, b.String())
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != head+after {
		t.Errorf("got\n%s", strings.TrimPrefix(string(got), head))
	}
	if err := sqltest.RunAll([]string{path}, sqltest.Options{Out: &b}); err != nil {
		t.Errorf("what was updated does not pass: %s", b.String())
	}
}

func TestSelectionAndJUnit(t *testing.T) {
	t.Parallel()
	junit := filepath.Join(t.TempDir(), "junit.xml")
	tests := head + "\n  - name: one\n    expect: {sums: []}\n  - name: two\n    expect: {sums: [{k: <a>}]}"
	out, err := suite(t, tests, sqltest.Options{Run: regexp.MustCompile("one$"), Verbose: true})
	if err != nil || !strings.Contains(out, "PASS x.test.yaml: one (") || strings.Contains(out, "two") {
		t.Errorf("it says\n%s", out)
	}
	if _, err := suite(t, tests, sqltest.Options{Run: regexp.MustCompile("none")}); err == nil || errors.Is(err, sqltest.ErrFailed) {
		t.Errorf("no test runs, and the error is %v", err)
	}
	if _, err := suite(t, tests, sqltest.Options{JUnit: junit}); !errors.Is(err, sqltest.ErrFailed) {
		t.Errorf("error %v", err)
	}
	got, err := os.ReadFile(junit)
	if err != nil || !strings.Contains(string(got), `tests="2" failures="1"`) || !strings.Contains(string(got), "&lt;a&gt;") {
		t.Errorf("the file for JUnit, %v:\n%s", err, got)
	}
}

// TestSamples runs the tests that the guide shows.
func TestSamples(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := sqltest.RunAll([]string{"../../../../deploy/samples"}, sqltest.Options{Out: &b}); err != nil {
		t.Error(err, "\n"+b.String())
	}
}
