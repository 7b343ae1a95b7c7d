package parse_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql/parse"
)

const conformance = "../../../testdata/conformance"

func TestConformanceParses(t *testing.T) {
	files, err := filepath.Glob(conformance + "/queries/*/case.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries found: %v", err)
	}
	for _, f := range append(files, conformance+"/t.sql") {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse.Script(string(src)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	raw, err := os.ReadFile(conformance + "/expressions.json")
	if err != nil {
		t.Fatal(err)
	}
	var groups map[string]map[string]any
	if err := json.Unmarshal(raw, &groups); err != nil {
		t.Fatal(err)
	}
	for g, cases := range groups {
		for e := range cases {
			if _, err := parse.Expr(e); err != nil {
				t.Errorf("%s: %s: %v", g, e, err)
			}
		}
	}
}
