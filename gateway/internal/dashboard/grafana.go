package dashboard

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	dashboardv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
)

type object = map[string]any

// grafana writes a dashboard as the JSON model of Grafana 11
// (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).
// Where its figures come from is chosen at the top of the page, so that it imports anywhere.
func grafana(d *dashboardv1.Dashboard) (*structpb.Struct, error) {
	var panels []any
	var prom, search bool
	for i, p := range d.GetPanels() {
		for _, q := range p.GetQueries() {
			prom, search = prom || q.GetPromql() != nil, search || q.GetSearch() != nil
		}
		panels = append(panels, panel(i+1, p))
	}
	var vars []any
	if prom {
		vars = append(vars, source("metrics", "Metrics", "prometheus"))
	}
	if search {
		vars = append(vars, source("search", "Search", "elasticsearch"))
	}
	for _, v := range d.GetVariables() {
		vars = append(vars, variable(v))
	}
	from := d.GetRange()
	if from == "" {
		from = "now-1h"
	}
	return structpb.NewStruct(object{
		"uid": "weirflow-" + d.GetName()[:min(len(d.GetName()), 31)], "title": d.GetTitle(), "description": d.GetDescription(), "tags": []any{"weirflow"},
		"schemaVersion": 39, "version": d.GetVersion(), "editable": true, "graphTooltip": 1, "refresh": "10s", "timezone": "",
		"time": object{"from": from, "to": "now"}, "annotations": object{"list": []any{}}, "links": []any{},
		"templating": object{"list": vars}, "panels": panels,
	})
}

func source(name, label, kind string) object {
	return object{"name": name, "label": label, "type": "datasource", "query": kind, "current": object{}, "hide": 0, "includeAll": false, "multi": false, "options": []any{}, "refresh": 1, "regex": ""}
}

func variable(v *dashboardv1.Variable) object {
	label := v.GetLabel()
	if label == "" {
		label = v.GetName()
	}
	chosen := object{"text": v.GetValue(), "value": v.GetValue()}
	out := object{"name": v.GetName(), "label": label, "hide": 0, "current": chosen, "options": []any{}}
	if of, ok := strings.CutPrefix(v.GetSource(), "label:"); ok {
		query := fmt.Sprintf("label_values(%s)", of)
		maps.Copy(out, object{"type": "query", "datasource": object{"type": "prometheus", "uid": "${metrics}"}, "definition": query,
			"query": object{"query": query, "refId": "V"}, "refresh": 2, "sort": 1, "includeAll": true, "multi": true, "allValue": ".*", "regex": ""})
		if v.GetValue() == ".*" {
			out["current"] = object{"selected": true, "text": []any{"All"}, "value": []any{"$__all"}}
		}
		return out
	}
	if strings.Contains(v.GetSource(), ",") {
		out["type"], out["query"] = "custom", v.GetSource()
		return out
	}
	out["type"], out["query"] = "textbox", v.GetValue()
	return out
}

func panel(id int, p *dashboardv1.Panel) object {
	out := object{
		"id": id, "title": p.GetTitle(), "gridPos": object{"x": p.GetX(), "y": p.GetY(), "w": p.GetWidth(), "h": p.GetHeight()},
	}
	custom := object{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "showPoints": "auto", "spanNulls": false, "stacking": object{"mode": "none"}}
	options := object{}
	switch p.GetType() {
	case dashboardv1.PanelType_PANEL_TYPE_TEXT:
		out["type"], out["options"] = "text", object{"mode": "markdown", "content": p.GetText()}
		return out
	case dashboardv1.PanelType_PANEL_TYPE_STAT:
		out["type"] = "stat"
		options = object{"reduceOptions": object{"calcs": []any{"lastNotNull"}, "fields": "", "values": false}, "colorMode": "none", "graphMode": "area"}
	case dashboardv1.PanelType_PANEL_TYPE_TABLE:
		out["type"] = "table"
	case dashboardv1.PanelType_PANEL_TYPE_PIE:
		out["type"] = "piechart"
		options = object{"reduceOptions": object{"calcs": []any{"lastNotNull"}, "fields": "", "values": false}, "legend": object{"displayMode": "list", "placement": "right", "showLegend": true}}
	case dashboardv1.PanelType_PANEL_TYPE_LOGS:
		out["type"] = "logs"
		options = object{"showTime": true, "wrapLogMessage": true, "sortOrder": "Descending", "enableLogDetails": true}
	default:
		out["type"] = "timeseries"
		options = object{"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": object{"mode": "multi", "sort": "desc"}}
		if p.GetType() == dashboardv1.PanelType_PANEL_TYPE_AREA {
			custom["fillOpacity"] = 20
		}
		if p.GetType() == dashboardv1.PanelType_PANEL_TYPE_BAR {
			custom["drawStyle"], custom["fillOpacity"] = "bars", 80
		}
		if p.GetStacked() {
			custom["stacking"] = object{"mode": "normal"}
		}
	}
	defaults := object{"custom": custom}
	if out["type"] != "timeseries" {
		defaults = object{}
	}
	if p.GetUnit() != "" {
		defaults["unit"] = p.GetUnit()
	}
	out["options"], out["fieldConfig"] = options, object{"defaults": defaults, "overrides": []any{}}
	var targets []any
	for i, q := range p.GetQueries() {
		t, ds := target(q, p.GetType())
		t["refId"], t["datasource"] = string(rune('A'+i)), ds
		targets, out["datasource"] = append(targets, t), ds
	}
	out["targets"] = targets
	return out
}

// target is a query and the source that it asks.
func target(q *dashboardv1.PanelQuery, kind dashboardv1.PanelType) (t, datasource object) {
	if m := q.GetPromql(); m != nil {
		t = object{"expr": m.GetExpr(), "legendFormat": q.GetLegend(), "editorMode": "code", "instant": m.GetInstant(), "range": !m.GetInstant()}
		if kind == dashboardv1.PanelType_PANEL_TYPE_TABLE {
			t["format"] = "table"
		}
		return t, object{"type": "prometheus", "uid": "${metrics}"}
	}
	s := q.GetSearch()
	time := s.GetTimeField()
	if time == "" {
		time = "@timestamp"
	}
	query := s.GetQuery()
	if query == "" {
		query = "*"
	}
	if s.GetIndex() != "" && s.GetIndex() != "*" { // Grafana's source has one index: the query narrows it
		query = "(" + query + ") AND _index:" + escaped(s.GetIndex())
	}
	t = object{"query": query, "timeField": time, "alias": alias(q), "metrics": []any{metric(s)}, "bucketAggs": buckets(s, time)}
	if kind == dashboardv1.PanelType_PANEL_TYPE_LOGS {
		t["metrics"], t["bucketAggs"] = []any{object{"id": "1", "type": "logs", "settings": object{"limit": "500"}}}, []any{}
	}
	return t, object{"type": "elasticsearch", "uid": "${search}"}
}

// escaped is a name as a query string takes it; * stays what it is.
func escaped(name string) string {
	return regexp.MustCompile(`([+\-=&|!(){}\[\]^"~?:\\/ ])`).ReplaceAllString(name, `\$1`)
}

func alias(q *dashboardv1.PanelQuery) string {
	if q.GetLegend() != "" {
		return regexp.MustCompile(`\{\{\s*([^}]+?)\s*\}\}`).ReplaceAllString(q.GetLegend(), "{{term $1}}")
	}
	if g := q.GetSearch().GetGroupBy(); g != "" {
		return "{{term " + g + "}}"
	}
	return ""
}

func metric(s *dashboardv1.SearchQuery) object {
	switch m := s.GetMetric(); {
	case m == "" || m == "count":
		return object{"id": "1", "type": "count"}
	case strings.HasPrefix(m, "p") && len(m) > 1 && m[1] >= '0' && m[1] <= '9':
		return object{"id": "1", "type": "percentiles", "field": s.GetField(), "settings": object{"percents": []any{m[1:]}}}
	default:
		return object{"id": "1", "type": m, "field": s.GetField()}
	}
}

func buckets(s *dashboardv1.SearchQuery, time string) []any {
	out := []any{}
	if s.GetGroupBy() != "" {
		size := s.GetSize()
		if size == 0 {
			size = 10
		}
		out = append(out, object{"id": "3", "type": "terms", "field": s.GetGroupBy(), "settings": object{"size": strconv.Itoa(int(size)), "order": "desc", "orderBy": "_count", "min_doc_count": "1"}})
	}
	if s.GetOverTime() || s.GetGroupBy() == "" {
		out = append(out, object{"id": "2", "type": "date_histogram", "field": time, "settings": object{"interval": cmp.Or(s.GetInterval(), "auto"), "min_doc_count": "0"}})
	}
	return out
}
