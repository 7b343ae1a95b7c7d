package aggs

import (
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// typed gives the members of an answer the names that clients with types want: the kind
// of the answer, # and the name.
func typed(o *jsondoc.Value, nodes, pipes []*node) {
	for _, n := range nodes {
		v := o.Get(n.name)
		if v == nil {
			continue
		}
		switch buckets := v.Get("buckets"); {
		case buckets != nil:
			for _, b := range buckets.Items {
				typed(b, n.subs, n.pipes)
			}
		case !isMetric(n.kind):
			typed(v, n.subs, n.pipes)
		}
		rename(o, n.name, n.answers())
	}
	for _, n := range pipes {
		rename(o, n.name, n.answers())
	}
}

func rename(o *jsondoc.Value, name, kind string) {
	for i, k := range o.Keys {
		if k == name {
			o.Keys[i] = kind + "#" + name
			return
		}
	}
}

// answers is the kind of answer that an aggregation gives.
func (n *node) answers() string {
	switch n.kind {
	case "terms":
		return n.holds() + "terms"
	case "rare_terms":
		return n.holds() + "rareterms"
	case "percentiles", "percentile_ranks":
		if n.body.Get("hdr") != nil {
			return "hdr_" + n.kind
		}
		return "tdigest_" + n.kind
	case "max_bucket", "min_bucket":
		return "bucket_metric_value"
	case "stats_bucket", "extended_stats_bucket", "percentiles_bucket", "derivative":
		return n.kind
	}
	if isPipeline(n.kind) {
		return "simple_value"
	}
	return n.kind
}

// holds says what the keys of terms are: texts, whole numbers, fractions, or none
// where no index has the field.
func (n *node) holds() string {
	if n.keys == "" {
		return "um"
	}
	return n.keys
}
