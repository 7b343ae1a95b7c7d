package sqlcli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

const corpus = "../testdata/conformance"

// change is a row of a changelog.
type change struct {
	Op  string
	Row []any
}

// result is what a script printed.
type result struct {
	names, types []string
	changes      []change
	err          string
}

func runScript(t *testing.T, script string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := sqlcli.Run(t.Context(), sqlcli.Options{Script: script, Output: "ndjson", Stdout: &out, Stderr: &errs, Logger: slog.New(slog.DiscardHandler)})
	if code != 0 {
		return result{err: strings.TrimSpace(errs.String())}
	}
	var r result
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var o struct {
			Columns []struct{ Name, Type string }
			Op      string
			Row     []any
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if o.Op != "" {
			r.changes = append(r.changes, change{o.Op, o.Row})
			continue
		}
		for _, c := range o.Columns {
			r.names, r.types = append(r.names, c.Name), append(r.types, c.Type)
		}
	}
	return r
}

func read(t *testing.T, path string) string {
	t.Helper()
	return readCorpus(t, path)
}

func readCorpus(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(corpus, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// expressionsToCome are those whose answer is not Flink's yet. One that starts to
// pass must leave the list.
var expressionsToCome = []string{}

func TestExpressions(t *testing.T) {
	type want struct {
		Values map[string]*string
		Type   string
		Error  string
	}
	var groups map[string]map[string]want
	if err := json.Unmarshal([]byte(read(t, "expressions.json")), &groups); err != nil {
		t.Fatal(err)
	}
	ddl := strings.ReplaceAll(read(t, "t.sql"), "${DIR}", corpus)
	for group, cases := range groups {
		for expr, w := range cases {
			t.Run(group+"/"+expr, func(t *testing.T) {
				r := runScript(t, ddl+fmt.Sprintf("SELECT id, (%s) AS v, CAST((%s) AS STRING) AS c FROM t;\n", expr, expr))
				problem := ""
				switch {
				case w.Error != "" && r.err == "":
					problem = "it gave rows, and Flink an error: " + w.Error
				case w.Error != "":
				case r.err != "":
					problem = r.err
				default:
					problem = compareExpression(r, w.Values, w.Type)
				}
				judge(t, problem, slices.Contains(expressionsToCome, expr))
			})
		}
	}
}

func compareExpression(r result, values map[string]*string, typ string) string {
	got := make(map[string]*string)
	for _, c := range r.changes {
		var v *string
		if s, ok := c.Row[2].(string); ok {
			v = &s
		}
		got[fmt.Sprint(c.Row[0])] = v
	}
	if !reflect.DeepEqual(got, values) {
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(values)
		return fmt.Sprintf("got  %s\nwant %s", g, w)
	}
	strip := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(strings.ToUpper(s), " NOT NULL", ""), " ", "")
	}
	if typ != "" && strip(r.types[1]) != strip(typ) {
		return fmt.Sprintf("type %s, want %s", r.types[1], typ)
	}
	return ""
}

// judge fails a case that does not pass, unless it is yet to come; and one that
// passes while it is listed as yet to come.
func judge(t *testing.T, problem string, toCome bool) {
	t.Helper()
	switch {
	case problem != "" && toCome:
		t.Skip("yet to come: ", problem)
	case problem != "":
		t.Error(problem)
	case toCome:
		t.Error("passes now: take it out of the list of those yet to come")
	}
}

// queriesToCome are the queries that the engine does not run yet.
var queriesToCome = []string{}

func TestQueries(t *testing.T) {
	dirs, err := os.ReadDir(filepath.Join(corpus, "queries"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		t.Run(d.Name(), func(t *testing.T) {
			dir := filepath.Join("queries", d.Name())
			var want struct {
				Columns  [][2]string
				Rows     [][2]any
				Error    string
				Updating bool
			}
			if err := json.Unmarshal([]byte(strings.ReplaceAll(read(t, filepath.Join(dir, "expected.json")), `\\'`, `'`)), &want); err != nil {
				t.Fatal(err)
			}
			r := runScript(t, strings.ReplaceAll(read(t, filepath.Join(dir, "case.sql")), "${DIR}", filepath.Join(corpus, dir)))
			problem := ""
			switch {
			case want.Error != "" && r.err == "":
				problem = "it gave rows, and Flink an error: " + want.Error
			case want.Error != "" && !regexp.MustCompile(`line \d+, column \d+`).MatchString(r.err):
				problem = "the error does not say where: " + r.err
			case want.Error != "":
			case r.err != "":
				problem = r.err
			default:
				var names []string
				for _, c := range want.Columns {
					names = append(names, c[0])
				}
				var changes []change
				insertOnly := !want.Updating
				for _, row := range want.Rows {
					op, _ := row[0].(string)
					values, _ := row[1].([]any)
					changes = append(changes, change{op, values})
					insertOnly = insertOnly && op == "+I"
				}
				problem = compareQuery(r, names, changes, insertOnly)
			}
			judge(t, problem, slices.Contains(queriesToCome, d.Name()))
		})
	}
}

func compareQuery(r result, names []string, want []change, insertOnly bool) string {
	if !slices.Equal(r.names, names) {
		return fmt.Sprintf("columns %v, want %v", r.names, names)
	}
	if g, w := final(r.changes), final(want); !reflect.DeepEqual(g, w) {
		return fmt.Sprintf("got  %v\nwant %v", g, w)
	}
	for _, c := range r.changes {
		if insertOnly && c.Op != "+I" {
			return "rows are changed where Flink only inserts"
		}
	}
	return ""
}

// final counts the rows that remain when all changes are applied.
func final(changes []change) map[string]int {
	count := make(map[string]int)
	for _, c := range changes {
		key := fmt.Sprint(normal(c.Row))
		if c.Op == "+I" || c.Op == "+U" {
			count[key]++
		} else {
			count[key]--
		}
		if count[key] == 0 {
			delete(count, key)
		}
	}
	return count
}

var timestamp = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z?)$`)

// normal gives values that are the same one form.
func normal(v any) any {
	switch v := v.(type) {
	case string:
		if m := timestamp.FindStringSubmatch(v); m != nil {
			if strings.Count(m[2], ":") == 1 {
				m[2] += ":00"
			}
			return m[1] + " " + m[2] + strings.TrimRight(strings.TrimRight(m[3], "0"), ".") + m[4]
		}
		return v
	case float64:
		if math.Abs(v) < 1<<53 {
			return fmt.Sprintf("%.9g", v)
		}
		return v
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			out = append(out, normal(x))
		}
		return out
	default:
		return v
	}
}
