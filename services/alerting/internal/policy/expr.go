// Package policy keeps the policies that say when people are told, and makes rules
// of them for the engine of metrics.
package policy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/platform/suggest"
)

const (
	defaultWindow        = 5 * time.Minute
	defaultAnomalyWindow = time.Hour
	defaultDays          = 7
	maxDays              = 30
	defaultDeviations    = 3
	// dayLabel tells the past days apart while they are put together.
	dayLabel = "weirflow_day"
	// leastDays is how many of them must have data.
	leastDays = 2
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// ErrPolicy is wrapped by what is wrong with a policy.
var ErrPolicy = errors.New("the policy is not right")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrPolicy, fmt.Errorf(format, args...))
}

// compiler makes queries of policies.
type compiler struct{ parser parser.Parser }

// common says what is wrong with what all policies have.
func (c compiler) common(p *alertv1.Policy) error {
	if !namePattern.MatchString(p.GetName()) {
		return wrong("the name %q is not 1 to 100 letters, digits, '-', '_' and '.'", p.GetName())
	}
	for name := range p.GetLabels() {
		if !namesAllowed.IsValidLabelName(name) || strings.HasPrefix(name, "__") || name == model.AlertNameLabel || name == "severity" {
			return wrong("the label %q cannot be given", name)
		}
	}
	for key, d := range map[string]*durationpb.Duration{"for": p.GetFor(), "keep_firing_for": p.GetKeepFiringFor()} {
		if d != nil && d.AsDuration() < 0 {
			return wrong("%s is negative", key)
		}
	}
	return nil
}

// expr returns the query that a policy is evaluated by.
func (c compiler) expr(p *alertv1.Policy) (string, error) {
	if err := c.common(p); err != nil {
		return "", err
	}
	var text string
	var err error
	switch x := p.GetCondition().(type) {
	case *alertv1.Policy_Promql:
		text = x.Promql.GetExpr()
	case *alertv1.Policy_Threshold:
		text, err = c.threshold(x.Threshold)
	case *alertv1.Policy_Absence:
		text, err = c.absence(x.Absence)
	case *alertv1.Policy_Ratio:
		text, err = c.ratio(x.Ratio)
	case *alertv1.Policy_Anomaly:
		text, err = c.anomaly(x.Anomaly)
	default:
		return "", wrong("one of promql, threshold, absence, ratio, anomaly and log_pattern is needed")
	}
	if err != nil {
		return "", err
	}
	e, err := c.parser.ParseExpr(text)
	if err != nil {
		return "", wrong("the query %q: %w", text, err)
	}
	if t := e.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return "", wrong("the query gives a %s; an instant vector is needed", t)
	}
	return text, nil
}

// series checks that a text selects series, as they are at an instant.
func (c compiler) series(key, text string) (string, error) {
	e, err := c.parser.ParseExpr(text)
	if err != nil {
		return "", wrong("%s %q: %w", key, text, err)
	}
	if _, ok := e.(*parser.VectorSelector); !ok {
		return "", wrong(`%s %q does not select series: name{label="value"} does`, key, text)
	}
	return text, nil
}

func window(d *durationpb.Duration, otherwise time.Duration) (string, error) {
	w := d.AsDuration()
	switch {
	case d == nil:
		w = otherwise
	case w < time.Second:
		return "", wrong("the window must be at least 1 s")
	}
	return model.Duration(w).String(), nil
}

// over applies a function to the samples of a window.
func over(function, series, window, shift string) (string, error) {
	functions := []string{"last", "avg", "min", "max", "sum", "count", "stddev"}
	switch {
	case slices.Contains(functions, function):
		return fmt.Sprintf("%s_over_time(%s[%s]%s)", function, series, window, shift), nil
	case function == "rate" || function == "increase":
		return fmt.Sprintf("%s(%s[%s]%s)", function, series, window, shift), nil
	default:
		return "", wrong("the function %q is not known%s", function, suggest.Hint(function, append(functions, "rate", "increase")))
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func comparison(c alertv1.Comparison) (string, error) {
	switch c {
	case alertv1.Comparison_COMPARISON_ABOVE:
		return ">", nil
	case alertv1.Comparison_COMPARISON_AT_LEAST:
		return ">=", nil
	case alertv1.Comparison_COMPARISON_BELOW:
		return "<", nil
	case alertv1.Comparison_COMPARISON_AT_MOST:
		return "<=", nil
	default:
		return "", wrong("comparison is missing: one of ABOVE, AT_LEAST, BELOW, AT_MOST")
	}
}

func number(f float64) (string, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", wrong("the value is not a number")
	}
	return strconv.FormatFloat(f, 'g', -1, 64), nil
}

// grouping is the clause of an aggregation: by (a, b).
func grouping(by []string) (string, error) {
	for _, l := range by {
		if !model.LegacyValidation.IsValidLabelName(l) {
			return "", wrong("%q is not the name of a label", l)
		}
	}
	return "sum by (" + strings.Join(by, ", ") + ") ", nil
}

func (c compiler) threshold(t *alertv1.Threshold) (string, error) {
	series, err1 := c.series("series", t.GetSeries())
	w, err2 := window(t.GetWindow(), defaultWindow)
	op, err3 := comparison(t.GetComparison())
	value, err4 := number(t.GetValue())
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return "", err
	}
	left, err := over(orElse(t.GetFunction(), "last"), series, w, "")
	if err != nil {
		return "", err
	}
	if len(t.GetBy()) > 0 {
		by, err := grouping(t.GetBy())
		if err != nil {
			return "", err
		}
		left = by + "(" + left + ")"
	}
	return left + " " + op + " " + value, nil
}

func (c compiler) absence(a *alertv1.Absence) (string, error) {
	series, err1 := c.series("series", a.GetSeries())
	w, err2 := window(a.GetWindow(), defaultWindow)
	return fmt.Sprintf("absent_over_time(%s[%s])", series, w), errors.Join(err1, err2)
}

func (c compiler) ratio(r *alertv1.Ratio) (string, error) {
	part, err1 := c.series("part", r.GetPart())
	whole, err2 := c.series("whole", r.GetWhole())
	w, err3 := window(r.GetWindow(), defaultWindow)
	op, err4 := comparison(r.GetComparison())
	value, err5 := number(r.GetValue())
	by, err6 := grouping(r.GetBy())
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return "", err
	}
	// Without any of the whole there is no ratio: 0 / 0 is NaN, which is beyond nothing.
	return fmt.Sprintf("%s(rate(%s[%s])) / %s(rate(%s[%s])) %s %s", by, part, w, by, whole, w, op, value), nil
}

// anomaly compares a series with the mean and the deviation of itself at the same
// time of past days. Days without data do not count.
func (c compiler) anomaly(a *alertv1.Anomaly) (string, error) {
	series, err1 := c.series("series", a.GetSeries())
	w, err2 := window(a.GetWindow(), defaultAnomalyWindow)
	days, deviations := int(a.GetDays()), a.GetDeviations()
	if days == 0 {
		days = defaultDays
	}
	if deviations == 0 {
		deviations = defaultDeviations
	}
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	switch {
	case days < leastDays || days > maxDays:
		return "", wrong("days must be %d to %d", leastDays, maxDays)
	case deviations < 0 || a.GetAtLeast() < 0:
		return "", wrong("deviations and at_least must not be negative")
	}
	far, err3 := number(deviations)
	least, err4 := number(a.GetAtLeast())
	now, err5 := over(orElse(a.GetFunction(), "avg"), series, w, "")
	if err := errors.Join(err3, err4, err5); err != nil {
		return "", err
	}
	var past []string
	for day := 1; day <= days; day++ {
		then, err := over(orElse(a.GetFunction(), "avg"), series, w, fmt.Sprintf(" offset %dd", day))
		if err != nil {
			return "", err
		}
		past = append(past, fmt.Sprintf(`label_replace(%s, "%s", "%d", "", "")`, then, dayLabel, day))
	}
	all := strings.Join(past, " or ")
	return fmt.Sprintf("abs(%s - avg without (%s) (%s)) > clamp_min(%s * stddev without (%s) (%s), %s) and count without (%s) (%s) >= %d",
		now, dayLabel, all, far, dayLabel, all, least, dayLabel, all, leastDays), nil
}
