package search

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
)

// highlightOptions are the options of one highlighted field.
type highlightOptions struct {
	pre, post string
	size      int
	fragments int
	noMatch   int
	byScore   bool
	anyField  bool // require_field_match: false
}

func readHighlight(base highlightOptions, v *jsondoc.Value) highlightOptions {
	if t := v.Get("pre_tags").Texts(); len(t) > 0 {
		base.pre = t[0]
	}
	if t := v.Get("post_tags").Texts(); len(t) > 0 {
		base.post = t[0]
	}
	if n, ok := v.Get("fragment_size").Int64(); ok {
		base.size = int(n)
	}
	if n, ok := v.Get("number_of_fragments").Int64(); ok {
		base.fragments = int(n)
	}
	if n, ok := v.Get("no_match_size").Int64(); ok {
		base.noMatch = int(n)
	}
	if v.Get("order").Text() == "score" {
		base.byScore = true
	}
	if b, ok := v.Get("require_field_match").Truth(); ok {
		base.anyField = !b
	}
	return base
}

// highlight marks in a document what its query matched.
func highlight(spec *jsondoc.Value, ix *indexRun, doc *jsondoc.Value) (*jsondoc.Value, error) {
	out := jsondoc.Obj()
	base := readHighlight(highlightOptions{pre: "<em>", post: "</em>", size: 100, fragments: 5}, spec)
	fields := spec.Get("fields")
	node := ix.node
	if q := spec.Get("highlight_query"); q != nil {
		n, err := ix.env.Parse(q)
		if err != nil {
			return nil, err
		}
		node = n
	}
	for _, one := range fields.List() {
		for i, pattern := range one.Keys {
			o := readHighlight(base, one.Items[i])
			for _, f := range ix.env.Mapping.Match(pattern) {
				if f.Store != mapping.Text && f.Store != mapping.Terms || f.Type == "ip" {
					continue
				}
				if frags := highlightField(f, &o, node, doc); len(frags) > 0 {
					out.Set(f.Path, jsondoc.Strs(frags))
				}
			}
		}
	}
	return out, nil
}

// span is a marked piece of text, in bytes.
type span struct{ start, end int }

func highlightField(f *mapping.Field, o *highlightOptions, node query.Node, doc *jsondoc.Value) []string {
	vals := Lookup(doc, f.Path)
	if len(vals) == 0 {
		if dot := strings.LastIndexByte(f.Path, '.'); dot > 0 {
			vals = Lookup(doc, f.Path[:dot])
		}
	}
	var out []string
	for _, v := range vals {
		if !v.Scalar() {
			continue
		}
		text := v.Text()
		spans := marks(f, o, node, text)
		if len(spans) > 0 {
			out = append(out, fragments(text, spans, o)...)
		}
	}
	if o.fragments > 0 && len(out) > o.fragments {
		out = out[:o.fragments]
	}
	if len(out) == 0 && o.noMatch > 0 && len(vals) > 0 {
		text := vals[0].Text()
		end := fragmentEnd(text, 0, o.noMatch)
		out = append(out, text[:end])
	}
	return out
}

// marks returns the places of a text that the query's parts match.
func marks(f *mapping.Field, o *highlightOptions, node query.Node, text string) []span {
	var toks []analysis.Token
	if f.Store == mapping.Text {
		toks = f.Analyzer.Terms(text)
	} else {
		toks = []analysis.Token{{Term: []byte(text), End: len(text)}}
	}
	hit, joined := make([]bool, len(toks)), make([]bool, len(toks))
	on := func(field string) bool { return field == f.Path || o.anyField }
	query.Walk(node, func(n query.Node) {
		switch q := n.(type) {
		case *query.TextTerm:
			for i, t := range toks {
				hit[i] = hit[i] || on(q.Field) && string(t.Term) == string(q.Term)
			}
		case *query.TermSet:
			for i, t := range toks {
				for _, w := range q.Terms {
					hit[i] = hit[i] || on(q.Field) && string(t.Term) == string(w)
				}
			}
		case *query.Pattern:
			for i, t := range toks {
				hit[i] = hit[i] || on(q.Field) && q.Matches(t.Term)
			}
		case *query.Phrase:
			if on(q.Field) {
				q.Mark(toks, hit, joined)
			}
		}
	})
	var out []span
	for i, t := range toks {
		switch {
		case hit[i] && i > 0 && joined[i-1] && len(out) > 0:
			out[len(out)-1].end = t.End
		case hit[i]:
			out = append(out, span{t.Start, t.End})
		}
	}
	return out
}

// fragments cuts the text around its marks.
func fragments(text string, spans []span, o *highlightOptions) []string {
	if o.fragments == 0 {
		return []string{mark(text, 0, len(text), spans, o)}
	}
	type frag struct {
		text  string
		score int
	}
	var list []frag
	for start := 0; start < len(text); {
		end := fragmentEnd(text, start, o.size)
		var in []span
		for _, s := range spans {
			if s.start >= start && s.start < end {
				in = append(in, s)
				end = max(end, s.end)
			}
		}
		if len(in) > 0 {
			list = append(list, frag{strings.TrimSpace(mark(text, start, end, in, o)), len(in)})
		}
		start = end
	}
	if o.byScore || len(list) > o.fragments {
		order := make([]int, len(list))
		for i := range order {
			order[i] = i
		}
		sort.SliceStable(order, func(i, j int) bool { return list[order[i]].score > list[order[j]].score })
		order = order[:min(len(order), o.fragments)]
		if !o.byScore {
			sort.Ints(order)
		}
		best := make([]frag, len(order))
		for i, k := range order {
			best[i] = list[k]
		}
		list = best
	}
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = f.text
	}
	return out
}

// fragmentEnd returns where a fragment that starts here ends: with the
// sentences that fit into the size, or at a word's end.
func fragmentEnd(text string, start, size int) int {
	if size <= 0 {
		return len(text)
	}
	end := start
	for end < len(text) {
		next := sentenceEnd(text, end)
		if next-start > size && end > start {
			break
		}
		end = next
		if end-start > size {
			break
		}
	}
	if end-start > size {
		cut := start + size
		for cut < len(text) && text[cut] != ' ' {
			_, n := utf8.DecodeRuneInString(text[cut:])
			cut += n
		}
		end = min(end, cut)
	}
	return end
}

func sentenceEnd(text string, from int) int {
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '.', '!', '?':
			j := i + 1
			for j < len(text) && text[j] == ' ' {
				j++
			}
			if j > i+1 && j < len(text) && (text[j] < 'a' || text[j] > 'z') {
				return j
			}
		case '\n':
			return i + 1
		}
	}
	return len(text)
}

func mark(text string, start, end int, spans []span, o *highlightOptions) string {
	var b strings.Builder
	at := start
	for _, s := range spans {
		if s.start < at {
			continue
		}
		b.WriteString(text[at:s.start])
		b.WriteString(o.pre)
		b.WriteString(text[s.start:s.end])
		b.WriteString(o.post)
		at = s.end
	}
	b.WriteString(text[at:end])
	return b.String()
}
