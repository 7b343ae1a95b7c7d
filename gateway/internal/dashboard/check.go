package dashboard

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	dashboardv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
)

// The limits of dashboards.
const (
	maxDashboards = 1000
	maxPanels     = 200
	maxQueries    = 20
	maxVariables  = 20
	maxBytes      = 512 << 10
	columns       = 24
	maxRow        = 10_000
)

// check says what is wrong with a dashboard.
func check(d *dashboardv1.Dashboard) error {
	var errs []error
	if d == nil {
		return status.Error(codes.InvalidArgument, "dashboard is missing")
	}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`).MatchString(d.GetName()) {
		errs = append(errs, fmt.Errorf("name %q is not 1 to 64 small letters, digits and -", d.GetName()))
	}
	if d.GetTitle() == "" {
		errs = append(errs, errors.New("title is missing"))
	}
	if n := proto.Size(d); n > maxBytes {
		errs = append(errs, fmt.Errorf("the dashboard has %d bytes: at most %d", n, maxBytes))
	}
	if len(d.GetPanels()) > maxPanels || len(d.GetVariables()) > maxVariables {
		errs = append(errs, fmt.Errorf("at most %d panels and %d variables", maxPanels, maxVariables))
	}
	names := map[string]bool{}
	for i, v := range d.GetVariables() {
		if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(v.GetName()) || names[v.GetName()] {
			errs = append(errs, fmt.Errorf("variables[%d]: the name %q is not a word of its own", i, v.GetName()))
		}
		names[v.GetName()] = true
	}
	ids := map[string]bool{}
	for i, p := range d.GetPanels() {
		if p.GetId() == "" || ids[p.GetId()] {
			errs = append(errs, fmt.Errorf("panels[%d]: the id %q is empty or another's", i, p.GetId()))
		}
		ids[p.GetId()] = true
		if err := checkPanel(p); err != nil {
			errs = append(errs, fmt.Errorf("panels[%d] (%s): %w", i, p.GetTitle(), err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return nil
}

func checkPanel(p *dashboardv1.Panel) error {
	if _, known := dashboardv1.PanelType_name[int32(p.GetType())]; !known || p.GetType() == dashboardv1.PanelType_PANEL_TYPE_UNSPECIFIED {
		return errors.New("type is missing")
	}
	if p.GetX() < 0 || p.GetWidth() < 1 || p.GetX()+p.GetWidth() > columns || p.GetY() < 0 || p.GetY() > maxRow || p.GetHeight() < 1 || p.GetHeight() > maxRow {
		return fmt.Errorf("x, y, width and height do not lie on the grid of %d columns", columns)
	}
	text := p.GetType() == dashboardv1.PanelType_PANEL_TYPE_TEXT
	switch {
	case text && len(p.GetQueries()) > 0:
		return errors.New("text has no queries")
	case !text && len(p.GetQueries()) == 0:
		return errors.New("queries are missing")
	case len(p.GetQueries()) > maxQueries:
		return fmt.Errorf("at most %d queries", maxQueries)
	}
	for i, q := range p.GetQueries() {
		if err := checkQuery(q); err != nil {
			return fmt.Errorf("queries[%d]: %w", i, err)
		}
	}
	return nil
}

func checkQuery(q *dashboardv1.PanelQuery) error {
	switch {
	case q.GetPromql() != nil:
		if q.GetPromql().GetExpr() == "" {
			return errors.New("expr is missing")
		}
	case q.GetSearch() != nil:
		s := q.GetSearch()
		known := []string{"", "count", "avg", "sum", "min", "max", "cardinality"}
		if !slices.Contains(known, s.GetMetric()) && !regexp.MustCompile(`^p\d{1,2}(\.\d+)?$`).MatchString(s.GetMetric()) {
			return fmt.Errorf("metric %q is none of count, avg, sum, min, max, cardinality, or pNN such as p99", s.GetMetric())
		}
		if s.GetIndex() == "" {
			return errors.New("index is missing")
		}
		if s.GetMetric() != "" && s.GetMetric() != "count" && s.GetField() == "" {
			return fmt.Errorf("field is missing: %s of what?", s.GetMetric())
		}
		if s.GetSize() < 0 || s.GetSize() > 1000 {
			return errors.New("size is not between 0 and 1000")
		}
		if !regexp.MustCompile(`^([1-9]\d{0,3}[smhd])?$`).MatchString(s.GetInterval()) {
			return fmt.Errorf("interval %q is not a number and s, m, h or d, such as 5m", s.GetInterval())
		}
	default:
		return errors.New("promql or search is missing")
	}
	return nil
}
