// Package search runs search requests: it evaluates queries over indices,
// sorts, pages, and renders hits.
package search

import (
	"math"
	"net/http"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/aggs"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// Request is a parsed search request.
type Request struct {
	Query, PostFilter, Aggs *jsondoc.Value
	From, Size              int
	Sort                    []SortKey
	Source                  *SourceFilter
	Fields, DocValues       []FieldFormat
	Highlight               *jsondoc.Value
	Collapse                *jsondoc.Value
	After                   []*jsondoc.Value
	HasAfter                bool
	Track                   int // hits to count exactly; Exact for all, 0 for none
	MinScore                *float32
	Version, SeqNo          bool
	TrackScores             bool
	Explain                 bool
	TypedKeys               bool // the kinds of aggregations stand before their names
	NoID                    bool // stored_fields: _none_
	PIT                     string
	KeepAlive               string
	Slice                   *jsondoc.Value
	TerminateAfter          int
	Scroll                  bool
}

// Exact asks for an exact count.
const Exact = math.MaxInt

// FieldFormat is a field to return, with a format for dates.
type FieldFormat struct{ Field, Format string }

// DefaultRequest returns a request that asks for the first ten documents.
func DefaultRequest() *Request { return &Request{Size: 10, Track: 10_000} }

// ParseRequest reads the body of a search.
func ParseRequest(v *jsondoc.Value) (*Request, error) {
	r := DefaultRequest()
	if v.IsNull() {
		return r, nil
	}
	if !v.Is(jsondoc.Object) {
		return nil, apierr.Parsing("Expected [START_OBJECT] but found [%s]", v.Encode())
	}
	for i, k := range v.Keys {
		if err := r.option(k, v.Items[i]); err != nil {
			return nil, err
		}
	}
	if r.Aggs != nil {
		if _, err := aggs.Parse(r.Aggs); err != nil {
			if e := apierr.Of(err); !e.Shard {
				return nil, e
			}
		}
	}
	return r, r.Check()
}

func (r *Request) option(k string, x *jsondoc.Value) error {
	var err error
	switch k {
	case "query":
		if !x.Is(jsondoc.Object) {
			return unknownToken(k, x)
		}
		r.Query = x
	case "post_filter":
		r.PostFilter = x
	case "aggs", "aggregations":
		r.Aggs = x
	case "from":
		r.From, err = intOption(k, x)
	case "size":
		r.Size, err = intOption(k, x)
	case "sort":
		r.Sort, err = ParseSort(x)
	case "_source":
		r.Source, err = ParseSource(x)
	case "fields":
		r.Fields, err = fieldFormats(k, x)
	case "docvalue_fields":
		r.DocValues, err = fieldFormats(k, x)
	case "stored_fields":
		r.storedFields(x.Texts())
	case "highlight":
		r.Highlight = x
	case "collapse":
		r.Collapse = x
	case "search_after":
		r.After, r.HasAfter = x.List(), true
	case "track_total_hits":
		r.Track, err = ParseTrack(x)
	case "min_score":
		f, ok := x.Float64()
		if !ok {
			return unknownToken(k, x)
		}
		m := float32(f)
		r.MinScore = &m
	case "version":
		r.Version, _ = x.Truth()
	case "seq_no_primary_term":
		r.SeqNo, _ = x.Truth()
	case "track_scores":
		r.TrackScores, _ = x.Truth()
	case "explain":
		r.Explain, _ = x.Truth()
	default:
		return r.rareOption(k, x)
	}
	return err
}

func (r *Request) rareOption(k string, x *jsondoc.Value) error {
	switch k {
	case "pit":
		r.PIT, r.KeepAlive = x.Get("id").Text(), x.Get("keep_alive").Text()
	case "slice":
		r.Slice = x
	case "terminate_after":
		n, err := intOption(k, x)
		r.TerminateAfter = n
		return err
	case "runtime_mappings", "script_fields":
		if len(x.Keys) > 0 {
			return apierr.Unsupported("[%s] is not supported by the embedded store", k)
		}
	case "rescore", "suggest", "knn", "retriever", "rank":
		if k == "suggest" && len(x.Keys) == 0 || k == "rescore" && len(x.Items) == 0 {
			return nil
		}
		return apierr.Unsupported("[%s] is not supported by the embedded store", k)
	case "timeout", "profile", "stats", "indices_boost", "ext", "rescore_", "sub_searches":
		if k == "timeout" {
			return checkTimeout(x)
		}
	default:
		if x.Scalar() || x.IsNull() {
			return apierr.Parsing("Unknown key for a %s in [%s].", tokenName(x), k)
		}
		return apierr.Parsing("Unknown key for a %s in [%s].", tokenName(x), k)
	}
	return nil
}

func (r *Request) storedFields(names []string) {
	for _, n := range names {
		if n == "_none_" {
			r.NoID = true
		}
	}
	if r.Source == nil {
		r.Source = &SourceFilter{Off: true}
	}
}

func tokenName(x *jsondoc.Value) string {
	switch {
	case x.Is(jsondoc.Object):
		return "START_OBJECT"
	case x.Is(jsondoc.Array):
		return "START_ARRAY"
	case x.Is(jsondoc.StringKind):
		return "VALUE_STRING"
	case x.Is(jsondoc.Num):
		return "VALUE_NUMBER"
	case x.Is(jsondoc.Bool):
		return "VALUE_BOOLEAN"
	}
	return "VALUE_NULL"
}

func unknownToken(k string, x *jsondoc.Value) error {
	return apierr.Parsing("Unknown key for a %s in [%s].", tokenName(x), k)
}

func intOption(k string, x *jsondoc.Value) (int, error) {
	if x.Is(jsondoc.StringKind) || x.Is(jsondoc.Num) {
		if n, ok := x.Int64(); ok && n <= math.MaxInt32 && n >= math.MinInt32 {
			return int(n), nil
		}
		e := apierr.Illegal("Failed to parse int parameter [%s] with value [%s]", k, x.Text())
		return 0, e
	}
	return 0, unknownToken(k, x)
}

// ParseTrack reads track_total_hits.
func ParseTrack(x *jsondoc.Value) (int, error) {
	if b, ok := x.Truth(); ok {
		if b {
			return Exact, nil
		}
		return 0, nil
	}
	n, ok := x.Int64()
	if !ok || n < -1 || n > math.MaxInt32 {
		return 0, apierr.Illegal("[track_total_hits] parameter must be positive or equals to -1, got %s", x.Text())
	}
	if n < 0 {
		return Exact, nil
	}
	return int(n), nil
}

// Check refuses impossible numbers.
func (r *Request) Check() error {
	if r.From < 0 {
		return apierr.Illegal("[from] parameter cannot be negative but was [%d]", r.From)
	}
	if r.Size < 0 {
		return apierr.Illegal("[size] parameter cannot be negative, found [%d]", r.Size)
	}
	return nil
}

// checkWindow refuses pages that lie too deep.
func (r *Request) checkWindow(limit int) error {
	if r.From+r.Size > limit && !r.Scroll {
		return apierr.OnShard("illegal_argument_exception", "Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.", limit, r.From+r.Size)
	}
	if r.Scroll && r.Size > limit {
		return apierr.OnShard("illegal_argument_exception", "Batch size is too large, size must be less than or equal to: [%d] but was [%d]", limit, r.Size)
	}
	return nil
}

func fieldFormats(k string, v *jsondoc.Value) ([]FieldFormat, error) {
	var out []FieldFormat
	for _, x := range v.List() {
		switch {
		case x.Is(jsondoc.StringKind):
			out = append(out, FieldFormat{Field: x.S})
		case x.Is(jsondoc.Object) && x.Get("field") != nil:
			out = append(out, FieldFormat{x.Get("field").Text(), strings.TrimPrefix(x.Get("format").Text(), "use_field_mapping")})
		default:
			return nil, apierr.Parsing("[%s] expects names of fields or objects with a [field]", k)
		}
	}
	return out, nil
}

func checkTimeout(x *jsondoc.Value) error {
	s := x.Text()
	if s == "-1" {
		return nil
	}
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	switch s[i:] {
	case "nanos", "micros", "ms", "s", "m", "h", "d":
		if i > 0 {
			return nil
		}
	}
	return apierr.New(http.StatusBadRequest, "illegal_argument_exception", "failed to parse setting [timeout] with value [%s] as a time value: unit is missing or unrecognized", s)
}
