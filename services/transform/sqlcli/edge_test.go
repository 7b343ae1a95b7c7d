package sqlcli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// edge is an expression over the edge table with what Flink answered: the text of
// each row, and the type.
type edge struct {
	Type   string    `json:"type"`
	Values []*string `json:"values"`
	Error  string    `json:"error"`
}

// TestEdges holds expressions over nulls, empties, extremes and odd texts against
// recorded answers. The differential test finds them; they stay here.
func TestEdges(t *testing.T) {
	t.Parallel()
	var cases map[string]edge
	if err := json.Unmarshal([]byte(read(t, "edge/expressions.json")), &cases); err != nil {
		t.Fatal(err)
	}
	ddl := strings.ReplaceAll(read(t, "edge/t.sql"), "${DIR}", corpus+"/edge")
	var good []string
	for _, e := range slices.Sorted(maps.Keys(cases)) {
		if cases[e].Error == "" {
			good = append(good, e)
			continue
		}
		if r := runScript(t, ddl+"SELECT id, ("+e+") AS v FROM t;\n"); r.err == "" {
			t.Errorf("%s: it gave rows, and Flink an error: %s", e, cases[e].Error)
		}
	}
	for batch := range slices.Chunk(good, 100) {
		edges(t, ddl, batch, cases)
	}
}

// edges runs expressions in one statement; one by one when some of them fails.
func edges(t *testing.T, ddl string, batch []string, cases map[string]edge) {
	t.Helper()
	var b strings.Builder
	for i, e := range batch {
		fmt.Fprintf(&b, ", (%s) AS v%d, CAST((%s) AS STRING) AS c%d", e, i, e, i)
	}
	r := runScript(t, ddl+"SELECT id"+b.String()+" FROM t;\n")
	if r.err != "" && len(batch) > 1 {
		for _, e := range batch {
			edges(t, ddl, []string{e}, cases)
		}
		return
	}
	if r.err != "" {
		t.Errorf("%s: %s", batch[0], r.err)
		return
	}
	for i, e := range batch {
		want := make(map[string]*string)
		for id, v := range cases[e].Values {
			want[strconv.Itoa(id+1)] = v
		}
		one := result{types: []string{"", r.types[1+2*i]}}
		for _, c := range r.changes {
			one.changes = append(one.changes, change{c.Op, []any{c.Row[0], nil, c.Row[2+2*i]}})
		}
		if problem := compareExpression(one, want, cases[e].Type); problem != "" {
			t.Errorf("%s: %s", e, problem)
		}
	}
}
