package sql_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

const conformance = "../../testdata/conformance"

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var blanks = regexp.MustCompile(`\s+|NOTNULL`)

// plainType drops what the recorded types leave open: blanks and nullability.
func plainType(s string) string {
	return blanks.ReplaceAllString(strings.ReplaceAll(strings.ToUpper(s), " NOT NULL", ""), "")
}

// TestExpressionTypes holds the type of every recorded expression against the
// one that Flink gave it.
func TestExpressionTypes(t *testing.T) {
	t.Parallel()
	var groups map[string]map[string]struct {
		Type  string `json:"type"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(readFile(t, conformance+"/expressions.json")), &groups); err != nil {
		t.Fatal(err)
	}
	s := sql.NewSession(sql.Options{})
	if _, err := s.Run(readFile(t, conformance+"/t.sql")); err != nil {
		t.Fatal(err)
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		for _, e := range slices.Sorted(maps.Keys(groups[g])) {
			want := groups[g][e]
			t.Run(g+"/"+e, func(t *testing.T) {
				res, err := s.Run("SELECT id, (" + e + ") AS v, CAST((" + e + ") AS STRING) AS c FROM t")
				if want.Error != "" {
					return // whether it fails when planned or when run is the engine's matter
				}
				if err != nil {
					t.Fatal(err)
				}
				got := res[0].Query.Root.Out().Fields[1].Type.String()
				if want.Type != "" && plainType(got) != plainType(want.Type) {
					t.Errorf("type %s, want %s", got, want.Type)
				}
			})
		}
	}
}

// gatewayType is how Flink's SQL gateway names the root of a type.
func gatewayType(s string) string {
	root, _, _ := strings.Cut(strings.TrimSuffix(s, " NOT NULL"), "(")
	root, _, _ = strings.Cut(root, "<")
	switch root {
	case "STRING":
		return "VARCHAR"
	case "INT":
		return "INTEGER"
	case "TIMESTAMP":
		return "TIMESTAMP_WITHOUT_TIME_ZONE"
	case "TIMESTAMP_LTZ":
		return "TIMESTAMP_WITH_LOCAL_TIME_ZONE"
	}
	return root
}

// TestQueries plans every recorded query and compares columns, or sees that a
// query that Flink refuses is refused with a place.
func TestQueries(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(conformance + "/queries/*/case.sql")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want struct {
				Columns [][2]string `json:"columns"`
				Error   string      `json:"error"`
			}
			if err := json.Unmarshal([]byte(readFile(t, dir+"/expected.json")), &want); err != nil {
				t.Fatal(err)
			}
			res, err := sql.NewSession(sql.Options{}).Run(readFile(t, file))
			if want.Error != "" && strings.HasPrefix(name, "err_") {
				if err == nil {
					t.Fatalf("no error, want %s", want.Error)
				}
				if !strings.HasPrefix(err.Error(), "line ") {
					t.Errorf("error without a place: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got [][2]string
			for _, f := range res[len(res)-1].Query.Root.Out().Fields {
				got = append(got, [2]string{f.Name, gatewayType(f.Type.Plain().String())})
			}
			if want.Columns != nil && !slices.Equal(got, want.Columns) {
				t.Errorf("columns %v, want %v", got, want.Columns)
			}
		})
	}
}
