package policy

import (
	"maps"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

// rule makes a rule of a policy and its query.
func rule(p *alertv1.Policy, expr string) rulefmt.Rule {
	labels := map[string]string{"severity": orElse(p.GetSeverity(), "warning")}
	maps.Copy(labels, p.GetLabels())
	return rulefmt.Rule{Alert: p.GetName(), Expr: expr, For: model.Duration(atLeastZero(p.GetFor())), KeepFiringFor: model.Duration(atLeastZero(p.GetKeepFiringFor())),
		Labels: labels, Annotations: p.GetAnnotations()}
}

func atLeastZero(d *durationpb.Duration) time.Duration { return max(0, d.AsDuration()) }

// groups makes a group of each policy, so that a slow one holds no other up.
func groups(policies map[string]*alertv1.Policy, c compiler) (all map[string]*rulefmt.RuleGroups, bad map[string]error) {
	all, bad = make(map[string]*rulefmt.RuleGroups), make(map[string]error)
	for name, p := range policies {
		if p.GetDisabled() || p.GetLogPattern() != nil { // a job carries it out
			continue
		}
		expr, err := c.expr(p)
		if err != nil {
			bad[name] = err
			continue
		}
		all[name] = &rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{{Name: name, Rules: []rulefmt.Rule{rule(p, expr)}}}}
	}
	return all, bad
}
