package shipped_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// TestDashboardsAreWhole parses every query of the dashboards, and holds against each
// what makes it importable by hand: a data source that is asked for, and ids of its own.
func TestDashboardsAreWhole(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "deploy", "grafana", "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	uids := make(map[string]string)
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var d struct {
				UID, Title string
				ID         *int
				Panels     []struct {
					ID          int
					Title, Type string
					Datasource  struct{ UID string }
					Targets     []struct{ Expr string }
					GridPos     struct{ X, Y, W, H int }
				}
				Templating struct{ List []struct{ Name, Type string } }
			}
			if err := json.Unmarshal(text, &d); err != nil {
				t.Fatal(err)
			}
			if d.UID == "" || d.ID != nil || uids[d.UID] != "" {
				t.Errorf("uid %q, id %v, also of %q", d.UID, d.ID, uids[d.UID])
			}
			uids[d.UID] = d.Title
			if len(d.Templating.List) == 0 || d.Templating.List[0].Name != "datasource" || d.Templating.List[0].Type != "datasource" {
				t.Error("it does not ask for a data source")
			}
			ids := make(map[int]bool)
			for _, p := range d.Panels {
				if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.H == 0 {
					t.Errorf("%s: id %d, place %+v", p.Title, p.ID, p.GridPos)
				}
				ids[p.ID] = true
				if p.Type == "row" {
					continue
				}
				if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
					t.Errorf("%s: data source %q, %d queries", p.Title, p.Datasource.UID, len(p.Targets))
				}
				for _, q := range p.Targets {
					expr := strings.ReplaceAll(q.Expr, "$__rate_interval", "1m")
					if _, err := parser.NewParser(parser.Options{}).ParseExpr(expr); expr != "" && err != nil {
						t.Errorf("%s: %s: %v", p.Title, q.Expr, err)
					}
				}
			}
		})
	}
}
