package aggs

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// isPipeline reports whether a kind works on the results of others.
func isPipeline(kind string) bool {
	switch kind {
	case "derivative", "cumulative_sum", "serial_diff", "moving_fn", "bucket_sort", "bucket_script", "bucket_selector",
		"max_bucket", "min_bucket", "avg_bucket", "sum_bucket", "stats_bucket", "extended_stats_bucket", "percentiles_bucket":
		return true
	}
	return false
}

// value reads a number at a path of a rendered bucket: "m", "st.avg",
// "p[95.0]", "a>m", "_count", "_key".
func value(b *jsondoc.Value, path string) (float64, bool) {
	if b == nil {
		return 0, false
	}
	switch path {
	case "_count":
		return number(b.Get("doc_count"))
	case "_key":
		return number(b.Get("key"))
	}
	for {
		head, rest, deeper := strings.Cut(path, ">")
		if !deeper {
			break
		}
		if b = b.Get(head); b == nil {
			return 0, false
		}
		path = rest
		if path == "_count" {
			return number(b.Get("doc_count"))
		}
	}
	name, part := path, ""
	if i := strings.IndexByte(path, '['); i >= 0 {
		name, part = path[:i], strings.TrimSuffix(path[i+1:], "]")
	} else if b.Get(path) == nil {
		if i := strings.LastIndexByte(path, '.'); i >= 0 {
			name, part = path[:i], path[i+1:]
		}
	}
	v := b.Get(name)
	switch {
	case v == nil:
		return 0, false
	case part == "" || part == "value":
		if x := v.Get("value"); x != nil {
			return number(x)
		}
		return number(v.Get("doc_count"))
	case v.Get("values") != nil:
		if f, err := strconv.ParseFloat(part, 64); err == nil {
			part = jsondoc.FormatFloat(f, 64)
		}
		return number(v.Get("values").Get(part))
	case part == "_count":
		return number(v.Get("doc_count"))
	case part == "std_upper":
		return number(v.At("std_deviation_bounds", "upper"))
	case part == "std_lower":
		return number(v.At("std_deviation_bounds", "lower"))
	}
	return number(v.Get(part))
}

func number(v *jsondoc.Value) (float64, bool) {
	if !v.Is(jsondoc.Num) {
		return 0, false
	}
	return v.Float64()
}

// inOrder puts pipelines behind those that they read, wherever they stand in the request.
func inOrder(pipes []*node) ([]*node, error) {
	out := make([]*node, 0, len(pipes))
	for len(pipes) > 0 {
		at := slices.IndexFunc(pipes, func(p *node) bool {
			for _, path := range p.paths() {
				if slices.ContainsFunc(pipes, func(q *node) bool { return q.name == firstStep(path) }) {
					return false
				}
			}
			return true
		})
		if at < 0 {
			return nil, apierr.Illegal("Cycle found with aggregation [%s]", pipes[0].name)
		}
		out = append(out, pipes[at])
		pipes = slices.Delete(pipes, at, at+1)
	}
	return out, nil
}

// parents runs the pipelines that stand inside a bucket aggregation.
func parents(n *node, list *jsondoc.Value) error {
	for _, p := range n.pipes {
		path := strings.Join(p.body.Get("buckets_path").Texts(), "")
		switch p.kind {
		case "derivative":
			derivative(p, list, path)
		case "cumulative_sum":
			sum := 0.0
			for _, b := range list.Items {
				if v, ok := value(b, path); ok {
					sum += v
				}
				b.Set(p.name, jsondoc.Obj("value", sum))
			}
		case "serial_diff":
			serialDiff(p, list, path)
		case "moving_fn":
			if err := movingFn(p, list, path); err != nil {
				return err
			}
		case "bucket_sort":
			bucketSort(p, list)
		case "bucket_script", "bucket_selector":
			bucketScripts(p, list)
		default:
			return apierr.Illegal("[%s] must stand beside the aggregation that it reads, not inside of it", p.kind)
		}
	}
	return nil
}

func derivative(p *node, list *jsondoc.Value, path string) {
	prev, have := 0.0, false
	for _, b := range list.Items {
		v, ok := value(b, path)
		if count, _ := value(b, "_count"); count == 0 && path != "_count" {
			ok = false // an empty bucket is a gap
		}
		if ok && have {
			b.Set(p.name, jsondoc.Obj("value", v-prev))
		}
		if ok {
			prev, have = v, true
		}
	}
}

func serialDiff(p *node, list *jsondoc.Value, path string) {
	lag := 1
	if k, ok := p.body.Get("lag").Int64(); ok && k > 0 {
		lag = int(k)
	}
	vals := make([]float64, len(list.Items))
	for i, b := range list.Items {
		v, ok := value(b, path)
		if !ok {
			v = math.NaN()
		}
		vals[i] = v
		if i >= lag && !math.IsNaN(v) && !math.IsNaN(vals[i-lag]) {
			b.Set(p.name, jsondoc.Obj("value", v-vals[i-lag]))
		}
	}
}

// movingFn knows the functions that Elasticsearch ships; no other scripts.
func movingFn(p *node, list *jsondoc.Value, path string) error {
	window, ok := p.body.Get("window").Int64()
	if !ok || window < 1 {
		return apierr.Illegal("[window] must be a positive, non-zero integer.")
	}
	shift, _ := p.body.Get("shift").Int64()
	script := p.body.Get("script").Text()
	if s := p.body.At("script", "source").Text(); s != "" {
		script = s
	}
	fn := movingFunction(script)
	if fn == nil {
		return apierr.Unsupported("scripts are not supported by the embedded store, only MovingFunctions: [%s]", script)
	}
	vals := make([]float64, len(list.Items))
	for i, b := range list.Items {
		v, ok := value(b, path)
		if !ok {
			v = math.NaN()
		}
		vals[i] = v
	}
	for i, b := range list.Items {
		lo, hi := i-int(window)+int(shift), i+int(shift)
		var in []float64
		for k := max(lo, 0); k < min(hi, len(vals)); k++ {
			if !math.IsNaN(vals[k]) {
				in = append(in, vals[k])
			}
		}
		b.Set(p.name, jsondoc.Obj("value", orNull(fn(in))))
	}
	return nil
}

func movingFunction(script string) func([]float64) float64 {
	script = strings.TrimPrefix(strings.TrimSpace(script), "return ")
	name, _, ok := strings.Cut(strings.TrimPrefix(script, "MovingFunctions."), "(")
	if !ok || !strings.HasPrefix(script, "MovingFunctions.") {
		return nil
	}
	sum := func(v []float64) float64 {
		s := 0.0
		for _, x := range v {
			s += x
		}
		return s
	}
	edge := func(pick func([]float64) float64) func([]float64) float64 {
		return func(v []float64) float64 {
			if len(v) == 0 {
				return math.NaN()
			}
			return pick(v)
		}
	}
	switch name {
	case "unweightedAvg":
		return func(v []float64) float64 { return sum(v) / float64(len(v)) }
	case "sum":
		return sum
	case "max":
		return edge(slices.Max[[]float64])
	case "min":
		return edge(slices.Min[[]float64])
	case "linearWeightedAvg":
		return func(v []float64) float64 {
			t, w := 0.0, 0.0
			for i, x := range v {
				t += x * float64(i+1)
				w += float64(i + 1)
			}
			return t / w
		}
	}
	return nil
}

func bucketSort(p *node, list *jsondoc.Value) {
	orders := sortOrders(p.body.Get("sort"))
	slices.SortStableFunc(list.Items, func(a, b *jsondoc.Value) int {
		for _, o := range orders {
			x, okx := value(a, o.path)
			y, oky := value(b, o.path)
			c := cmp.Compare(x, y)
			if o.path == "_key" && (!okx || !oky) {
				c = strings.Compare(a.Get("key").Text(), b.Get("key").Text())
			}
			if !o.asc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	from, _ := p.body.Get("from").Int64()
	list.Items = list.Items[min(int(max(from, 0)), len(list.Items)):]
	if size, ok := p.body.Get("size").Int64(); ok {
		list.Items = list.Items[:min(int(max(size, 0)), len(list.Items))]
	}
}

func sortOrders(v *jsondoc.Value) []order {
	var out []order
	for _, x := range v.List() {
		if x.Is(jsondoc.StringKind) {
			out = append(out, order{x.S, true})
			continue
		}
		for i, k := range x.Keys {
			dir := x.Items[i].Text()
			if d := x.Items[i].Get("order").Text(); d != "" {
				dir = d
			}
			out = append(out, order{k, dir != "desc"})
		}
	}
	return out
}

// sibling computes a pipeline over the buckets of an aggregation beside it.
func sibling(n *node, all *jsondoc.Value) (*jsondoc.Value, error) {
	path := strings.Join(n.body.Get("buckets_path").Texts(), "")
	head, rest, ok := strings.Cut(path, ">")
	buckets := all.Get(head).Get("buckets")
	if buckets == nil || !ok {
		return nil, apierr.Illegal("The first aggregation in buckets_path must be a multi-bucket aggregation for aggregation [%s]", n.name)
	}
	var vals []float64
	var keys []string
	for _, b := range buckets.Items {
		v, ok := value(b, rest)
		if count, _ := value(b, "_count"); !ok || count == 0 && rest != "_count" {
			continue
		}
		name := b.Get("key_as_string")
		if name == nil {
			name = b.Get("key")
		}
		vals, keys = append(vals, v), append(keys, name.Text())
	}
	return siblingResult(n, vals, keys)
}

func siblingResult(n *node, vals []float64, keys []string) (*jsondoc.Value, error) {
	m := &metric{n: &node{kind: strings.TrimSuffix(n.kind, "_bucket")}, min: math.Inf(1), max: math.Inf(-1), keyed: true, sigma: 2, wantVals: true}
	for _, v := range vals {
		m.add(v)
	}
	switch n.kind {
	case "max_bucket", "min_bucket":
		best := m.max
		if n.kind == "min_bucket" {
			best = m.min
		}
		at := jsondoc.Arr()
		for i, v := range vals {
			if v == best {
				at.Add(jsondoc.Str(keys[i]))
			}
		}
		if len(vals) == 0 {
			return jsondoc.Obj("value", nil, "keys", at), nil
		}
		return jsondoc.Obj("value", best, "keys", at), nil
	case "percentiles_bucket":
		m.percents = []float64{1, 5, 25, 50, 75, 95, 99}
		if p := n.body.Get("percents"); p != nil {
			m.percents = floats(p)
		}
	case "avg_bucket", "sum_bucket", "stats_bucket", "extended_stats_bucket":
	default:
		return nil, apierr.Illegal("[%s] must stand inside a histogram", n.kind)
	}
	return m.result()
}
