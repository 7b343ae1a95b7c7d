// Package alert is the connector that makes the rows of a job alerts: people hear of
// them through the alerting service, which reads the topic that they are written to.
//
// A table says in its columns what an alert is:
//
//	CREATE TABLE slow_hosts (
//	    host STRING, p99 DOUBLE, summary STRING, severity STRING,
//	    PRIMARY KEY (host) NOT ENFORCED
//	) WITH ('connector' = 'alert', 'resolve-after' = '10 min')
//
// The columns of the key, severity and those that 'labels' names become labels, by
// which an alert is known; the others are its annotations. A row begins an alert or
// lets it go on; it ends when the row is taken back, or after resolve-after without one.
package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/suggest"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Topic is the topic of alerts.
const Topic = "weirflow.alerts"

// Columns with a meaning of their own.
const (
	severityColumn = "severity"
	summaryColumn  = "summary"
	startsColumn   = "starts_at"
	keyColumn      = "key"
	nameLabel      = "alertname"
)

// Factory makes sinks of alerts.
func Factory() connector.Factory {
	return connector.Factory{
		Options: func(map[string]string) []connector.Option {
			return []connector.Option{
				{Key: nameLabel}, {Key: "labels", Kind: connector.List}, {Key: "severity", Default: "warning"},
				{Key: "resolve-after", Kind: connector.Duration, Default: "5 min"}, {Key: "sink.parallelism", Kind: connector.Int},
			}
		},
		Check: check, CheckSink: checkSink, Sink: newSink,
	}
}

func check(t *plan.Table, o *connector.Options) error {
	var names []string
	for _, f := range t.Physical {
		names = append(names, f.Name)
	}
	if !slices.Contains(names, summaryColumn) {
		return o.Wrong("", "connector 'alert' needs a column summary STRING, which people read")
	}
	for _, l := range o.List("labels") {
		if !slices.Contains(names, l) {
			return o.Wrong("labels", fmt.Sprintf("there is no column %q%s", l, suggest.Hint(l, names)))
		}
	}
	for _, f := range t.Physical {
		if f.Name == startsColumn && !f.Type.Kind.IsTimestamp() {
			return o.Wrong("", "column starts_at must be a TIMESTAMP: when the alert began")
		}
		if name := labelName(f.Name); name == "" {
			return o.Wrong("", fmt.Sprintf("column %q cannot be a label or an annotation: its name has no letter or digit", f.Name))
		}
	}
	if o.Duration("resolve-after") < time.Second {
		return o.Wrong("resolve-after", "must be at least 1 s")
	}
	return nil
}

func checkSink(s *plan.Sink, o *connector.Options) error {
	if s.Input.Out().Mode != plan.InsertOnly && len(s.Table.PrimaryKey) == 0 {
		return o.Wrong("", "the query changes rows: the table needs PRIMARY KEY (…) NOT ENFORCED, which tells whose alert changes")
	}
	return nil
}

// labelName makes a column's name one that Prometheus takes for a label.
func labelName(s string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
	if strings.Trim(name, "_") == "" {
		return ""
	}
	if name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// role is what a column is to an alert.
type role struct {
	name   string
	label  bool
	starts bool
}

// roles says what each column of a table is.
func roles(t *plan.Table, o *connector.Options) []role {
	labels := append(slices.Clone(t.PrimaryKey), o.List("labels")...)
	var all []role
	for _, f := range t.Physical {
		r := role{name: labelName(f.Name), starts: f.Name == startsColumn && f.Type.Kind != types.Null}
		r.label = slices.Contains(labels, f.Name) || f.Name == severityColumn || f.Name == keyColumn
		all = append(all, r)
	}
	return all
}
