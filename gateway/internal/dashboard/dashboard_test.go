package dashboard

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	dashboardv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func book(t *testing.T, cfg kafka.Config) *Book {
	t.Helper()
	b, err := New(cfg, slog.New(slog.DiscardHandler), func(context.Context) string { return "ann" }, func() time.Time { return time.Unix(1700000000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if b.own != nil {
		<-b.own.Ready()
	}
	return b
}

func line(id string) *dashboardv1.Panel {
	return &dashboardv1.Panel{Id: id, Title: "up", Type: dashboardv1.PanelType_PANEL_TYPE_LINE, Width: 12, Height: 8,
		Queries: []*dashboardv1.PanelQuery{{Query: &dashboardv1.PanelQuery_Promql{Promql: &dashboardv1.PromQLQuery{Expr: "up"}}}}}
}

func TestOwnDashboards(t *testing.T) {
	cfg := kafkatest.Start(t)
	b := book(t, cfg)
	d := &dashboardv1.Dashboard{Name: "mine", Title: "Mine", Panels: []*dashboardv1.Panel{line("a")}, Shipped: true}
	first, err := b.PutDashboard(t.Context(), &dashboardv1.PutDashboardRequest{Dashboard: d})
	if err != nil || first.GetDashboard().GetVersion() != 1 || first.GetDashboard().GetUpdatedBy() != "ann" || first.GetDashboard().GetShipped() {
		t.Fatalf("%v, %v", first, err)
	}
	if _, err := b.PutDashboard(t.Context(), &dashboardv1.PutDashboardRequest{Dashboard: d}); status.Code(err) != codes.Aborted || !strings.Contains(err.Error(), "by ann") {
		t.Errorf("an old version: %v", err)
	}
	d.Version, d.Title = 1, "Mine too"
	if _, err := b.PutDashboard(t.Context(), &dashboardv1.PutDashboardRequest{Dashboard: d}); err != nil {
		t.Error(err)
	}
	other := book(t, cfg) // of another gateway
	got, err := other.GetDashboard(t.Context(), &dashboardv1.GetDashboardRequest{Name: "mine"})
	if err != nil || got.GetDashboard().GetTitle() != "Mine too" || got.GetDashboard().GetVersion() != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := b.DeleteDashboard(t.Context(), &dashboardv1.DeleteDashboardRequest{Name: "mine"}); err != nil {
		t.Error(err)
	}
	if _, err := b.GetDashboard(t.Context(), &dashboardv1.GetDashboardRequest{Name: "mine"}); status.Code(err) != codes.NotFound {
		t.Errorf("a deleted one: %v", err)
	}
	if _, err := b.PutDashboard(t.Context(), &dashboardv1.PutDashboardRequest{Dashboard: d}); status.Code(err) != codes.Aborted {
		t.Errorf("one that was deleted meanwhile: %v", err)
	}
}

func TestShippedDashboards(t *testing.T) {
	b := book(t, kafka.Config{})
	list, err := b.ListDashboards(t.Context(), &dashboardv1.ListDashboardsRequest{})
	if err != nil || len(list.GetDashboards()) != 5 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, d := range list.GetDashboards() {
		if !d.GetShipped() || len(d.GetPanels()) > 0 {
			t.Errorf("%s is listed as %v", d.GetName(), d)
		}
		copied := &dashboardv1.Dashboard{Name: d.GetName(), Title: "x"}
		if _, err := b.PutDashboard(t.Context(), &dashboardv1.PutDashboardRequest{Dashboard: copied}); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("change of %s: %v", d.GetName(), err)
		}
		if _, err := b.DeleteDashboard(t.Context(), &dashboardv1.DeleteDashboardRequest{Name: d.GetName()}); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("delete of %s: %v", d.GetName(), err)
		}
	}
	if _, err := b.PutDashboard(t.Context(), &dashboardv1.PutDashboardRequest{Dashboard: &dashboardv1.Dashboard{Name: "x", Title: "x"}}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("keeping without a Kafka: %v", err)
	}
}

func TestExportIsWhatGrafanaImports(t *testing.T) {
	b := book(t, kafka.Config{})
	for name := range b.shipped {
		res, err := b.ExportDashboard(t.Context(), &dashboardv1.ExportDashboardRequest{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		text, err := res.GetGrafana().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			UID, Title    string
			SchemaVersion int
			Templating    struct{ List []struct{ Name, Type string } }
			Panels        []struct {
				ID      int
				Type    string
				GridPos struct{ X, Y, W, H int }
				Targets []struct {
					RefID      string
					Datasource struct{ Type, UID string }
				}
			}
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		if m.UID == "" || m.Title == "" || m.SchemaVersion < 36 || len(m.Panels) != len(b.shipped[name].GetPanels()) {
			t.Errorf("%s: %+v", name, m)
		}
		sources := map[string]bool{}
		for _, v := range m.Templating.List {
			sources["${"+v.Name+"}"] = v.Type == "datasource"
		}
		for _, p := range m.Panels {
			if p.GridPos.W == 0 || p.Type == "" {
				t.Errorf("%s: panel %+v", name, p)
			}
			for _, q := range p.Targets {
				if !sources[q.Datasource.UID] || q.RefID == "" {
					t.Errorf("%s: panel %d asks %+v, which is not there", name, p.ID, q)
				}
			}
		}
	}
}

func TestWrongDashboards(t *testing.T) {
	good := func() *dashboardv1.Dashboard {
		return &dashboardv1.Dashboard{Name: "x", Title: "x", Panels: []*dashboardv1.Panel{line("a")}}
	}
	search := func(s *dashboardv1.SearchQuery) func(*dashboardv1.Dashboard) {
		return func(d *dashboardv1.Dashboard) {
			d.Panels[0].Queries[0].Query = &dashboardv1.PanelQuery_Search{Search: s}
		}
	}
	for name, c := range map[string]struct {
		change func(*dashboardv1.Dashboard)
		want   string
	}{
		"name":         {func(d *dashboardv1.Dashboard) { d.Name = "My Board" }, "small letters"},
		"title":        {func(d *dashboardv1.Dashboard) { d.Title = "" }, "title is missing"},
		"twice":        {func(d *dashboardv1.Dashboard) { d.Panels = append(d.Panels, line("a")) }, "another's"},
		"off grid":     {func(d *dashboardv1.Dashboard) { d.Panels[0].X = 13 }, "grid of 24"},
		"no type":      {func(d *dashboardv1.Dashboard) { d.Panels[0].Type = 0 }, "type is missing"},
		"no query":     {func(d *dashboardv1.Dashboard) { d.Panels[0].Queries = nil }, "queries are missing"},
		"no expr":      {func(d *dashboardv1.Dashboard) { d.Panels[0].Queries[0].GetPromql().Expr = "" }, "expr is missing"},
		"no index":     {search(&dashboardv1.SearchQuery{}), "index is missing"},
		"no field":     {search(&dashboardv1.SearchQuery{Index: "a", Metric: "avg"}), "avg of what?"},
		"odd metric":   {search(&dashboardv1.SearchQuery{Index: "a", Metric: "median", Field: "x"}), "p99"},
		"odd interval": {search(&dashboardv1.SearchQuery{Index: "a", Interval: "5 minutes"}), "such as 5m"},
		"odd variable": {func(d *dashboardv1.Dashboard) { d.Variables = []*dashboardv1.Variable{{Name: "a b"}} }, "word of its own"},
		"too large":    {func(d *dashboardv1.Dashboard) { d.Description = strings.Repeat("x", maxBytes) }, "at most"},
	} {
		d := good()
		c.change(d)
		if err := check(d); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := check(good()); err != nil {
		t.Error(err)
	}
}
