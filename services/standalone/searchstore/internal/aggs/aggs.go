// Package aggs computes aggregations over the rows that a search matched.
// Every aggregation splits the rows of a segment into lists, one a bucket,
// and hands the lists to what is nested in it; states of all segments and
// indices grow together and are rendered at the end.
package aggs

import (
	"net/http"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// maxBuckets is how many buckets one answer may have.
const maxBuckets = 65_536

// node is one aggregation of a request.
type node struct {
	name, kind string
	body       *jsondoc.Value
	meta       *jsondoc.Value
	subs       []*node // nested aggregations
	pipes      []*node // nested pipelines, in order
	build      func(n *node) (state, error)
	keys       string  // of terms: what they are, see holds
	script     *script // of bucket_script and bucket_selector
	left       *int    // how many buckets the answer may still get, of all nodes
}

// state gathers what an aggregation finds.
type state interface {
	// collect adds rows of the scope's table.
	collect(x *scope, rows []uint32) error
	// result renders what was found.
	result() (*jsondoc.Value, error)
}

// scope is one segment, or the nested rows of one path of it.
type scope struct {
	env   *query.Env
	stats *query.Stats
	root  *segment.Segment
	tab   *segment.Segment
	path  string
	live  segment.Bits
	top   TopHits
}

// TopHits renders documents for top_hits.
type TopHits struct {
	// Make remembers documents of the current segment.
	Make func(docs []uint32, path string) any
	// Render sorts and renders what Make returned.
	Render func(parts []any, body *jsondoc.Value) (*jsondoc.Value, error)
}

// Plan is the aggregations of one request with their states.
type Plan struct {
	nodes, pipes []*node
	states       []state
}

// Parse reads aggregations.
func Parse(v *jsondoc.Value) (*Plan, error) {
	p := &Plan{}
	var err error
	if p.nodes, p.pipes, err = parseAll(v, 0); err != nil {
		return nil, err
	}
	if err := checkPaths(p.nodes, p.pipes); err != nil {
		return nil, err
	}
	left := maxBuckets
	share(p.nodes, &left)
	p.states, err = newStates(p.nodes)
	return p, err
}

func share(nodes []*node, left *int) {
	for _, n := range nodes {
		n.left = left
		share(n.subs, left)
	}
}

func parseAll(v *jsondoc.Value, depth int) (nodes, pipes []*node, err error) {
	if v.IsNull() {
		return nil, nil, nil
	}
	if !v.Is(jsondoc.Object) {
		return nil, nil, apierr.Parsing("Expected [START_OBJECT] under [aggs], but got a [%s]", v.Encode())
	}
	if depth > 20 {
		return nil, nil, apierr.Illegal("aggregations are nested too deep")
	}
	for i, name := range v.Keys {
		n, pipe, err := parseOne(name, v.Items[i], depth)
		if err != nil {
			return nil, nil, err
		}
		if pipe {
			pipes = append(pipes, n)
		} else {
			nodes = append(nodes, n)
		}
	}
	pipes, err = inOrder(pipes)
	return nodes, pipes, err
}

func parseOne(name string, v *jsondoc.Value, depth int) (n *node, pipe bool, err error) {
	if strings.ContainsAny(name, "[]>") {
		return nil, false, apierr.Parsing("Invalid aggregation name [%s]. Aggregation names can contain any character except '[', ']', and '>'", name)
	}
	n = &node{name: name}
	var sub *jsondoc.Value
	if !v.Is(jsondoc.Object) {
		return nil, false, apierr.Parsing("Aggregation definition for [%s starts with a [VALUE], expected a [START_OBJECT].", name)
	}
	for i, k := range v.Keys {
		switch x := v.Items[i]; k {
		case "aggs", "aggregations":
			sub = x
		case "meta":
			n.meta = x
		default:
			if n.kind != "" {
				return nil, false, apierr.Parsing("Found two aggregation type definitions in [%s]: [%s] and [%s]", name, n.kind, k)
			}
			n.kind, n.body = k, x
		}
	}
	if n.kind == "" {
		return nil, false, apierr.Parsing("Missing definition for aggregation [%s]", name)
	}
	if isPipeline(n.kind) {
		if n.kind == "bucket_script" || n.kind == "bucket_selector" {
			return n, true, n.bucketScript()
		}
		return n, true, nil
	}
	if n.build = builder(n.kind); n.build == nil {
		e := apierr.Parsing("Unknown aggregation type [%s]", n.kind)
		e.Cause = apierr.New(http.StatusBadRequest, "named_object_not_found_exception", "[1:1] unknown field [%s]", n.kind)
		return nil, false, e
	}
	if n.subs, n.pipes, err = parseAll(sub, depth+1); err != nil {
		return nil, false, err
	}
	if (len(n.subs) > 0 || len(n.pipes) > 0) && isMetric(n.kind) {
		return nil, false, apierr.Illegal("Aggregator [%s] of type [%s] cannot accept sub-aggregations", name, n.kind)
	}
	return n, false, checkPaths(n.subs, n.pipes)
}

// checkPaths refuses pipelines over aggregations that are not there.
func checkPaths(nodes, pipes []*node) error {
	for _, p := range pipes {
		for _, path := range p.paths() {
			head := firstStep(path)
			known := slices.ContainsFunc(append(slices.Clone(nodes), pipes...), func(n *node) bool { return n.name == head })
			if !known && head != "_count" && head != "_key" {
				return apierr.New(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: No aggregation found for path [%s];", path)
			}
		}
	}
	return nil
}

func firstStep(path string) string {
	for i := range len(path) {
		if path[i] == '>' || path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return path
}

func isMetric(kind string) bool {
	switch kind {
	case "min", "max", "sum", "avg", "stats", "extended_stats", "value_count", "cardinality", "percentiles", "percentile_ranks", "median_absolute_deviation", "weighted_avg", "top_hits":
		return true
	}
	return false
}

// builder returns what makes the state of a kind of aggregation.
func builder(kind string) func(n *node) (state, error) {
	switch kind {
	case "min", "max", "sum", "avg", "stats", "extended_stats", "value_count", "cardinality", "percentiles", "percentile_ranks", "median_absolute_deviation":
		return newMetric
	case "weighted_avg":
		return newWeighted
	case "terms", "rare_terms", "significant_terms", "multi_terms":
		if kind == "significant_terms" {
			return nil
		}
		return newTerms
	case "date_histogram", "histogram", "auto_date_histogram":
		return newHistogram
	case "range", "date_range", "ip_range":
		return newRange
	case "filter", "filters", "missing", "global", "nested", "reverse_nested", "sampler", "adjacency_matrix":
		if kind == "adjacency_matrix" {
			return nil
		}
		return newFilters
	case "top_hits":
		return newTop
	case "composite":
		return newComposite
	}
	return nil
}

func newStates(nodes []*node) ([]state, error) {
	out := make([]state, len(nodes))
	for i, n := range nodes {
		s, err := n.build(n)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

// Collect adds the matching documents of a segment.
func (p *Plan) Collect(env *query.Env, st *query.Stats, seg *segment.Segment, bits, dead segment.Bits, th TopHits) error {
	live := segment.AllBits(seg.N)
	live.AndNot(dead)
	x := &scope{env: env, stats: st, root: seg, tab: seg, live: live, top: th}
	return collectAll(p.states, x, list(bits))
}

func list(b segment.Bits) []uint32 {
	rows := make([]uint32, 0, b.Count())
	b.Each(func(d uint32) bool {
		rows = append(rows, d)
		return true
	})
	return rows
}

func collectAll(states []state, x *scope, rows []uint32) error {
	for _, s := range states {
		if err := s.collect(x, rows); err != nil {
			return err
		}
	}
	return nil
}

// Result renders all aggregations; withTypes puts their kinds before their names.
func (p *Plan) Result(withTypes bool) (*jsondoc.Value, error) {
	out := jsondoc.Obj()
	if err := renderInto(out, p.nodes, p.states); err != nil {
		return nil, err
	}
	for _, n := range p.pipes {
		v, err := sibling(n, out)
		if err != nil {
			return nil, err
		}
		out.Set(n.name, v)
	}
	if withTypes {
		typed(out, p.nodes, p.pipes)
	}
	return out, nil
}

// renderInto adds the results of states to an object.
func renderInto(o *jsondoc.Value, nodes []*node, states []state) error {
	for i, n := range nodes {
		v, err := states[i].result()
		if err != nil {
			return err
		}
		if n.meta != nil {
			w := jsondoc.Obj("meta", n.meta)
			for k, key := range v.Keys {
				w.Set(key, v.Items[k])
			}
			v = w
		}
		o.Set(n.name, v)
	}
	return nil
}

// bucket is a part of the rows, with what is nested in it.
type bucket struct {
	count int
	subs  []state
}

func (n *node) bucket() (*bucket, error) {
	b := &bucket{}
	var err error
	b.subs, err = newStates(n.subs)
	return b, err
}

// add puts rows into a bucket.
func (b *bucket) add(x *scope, rows []uint32) error {
	b.count += len(rows)
	return collectAll(b.subs, x, rows)
}

// render writes a bucket behind the members that are in o already.
func (b *bucket) render(o *jsondoc.Value, n *node) (*jsondoc.Value, error) {
	if *n.left--; *n.left < 0 {
		return nil, tooMany(maxBuckets - *n.left)
	}
	o.Set("doc_count", jsondoc.Int(b.count))
	return o, renderInto(o, n.subs, b.subs)
}
