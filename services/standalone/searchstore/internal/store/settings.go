package store

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// Settings are an index's settings by their full name, as text.
type Settings map[string]string

// known are the settings, or their prefixes, that an index may have. Most only
// matter to a cluster and are kept so that they can be read back.
var known = strings.Fields(`number_of_shards number_of_replicas refresh_interval max_result_window max_inner_result_window max_rescore_window max_docvalue_fields_search
 max_script_fields max_ngram_diff max_shingle_diff max_refresh_listeners max_terms_count max_regex_length max_slices_per_scroll analyze. mapping. mapper. analysis. blocks. codec routing. routing_partition_size
 routing_path translog. merge. lifecycle. sort. query. auto_expand_replicas hidden priority uuid version. gc_deletes highlight. search. indexing. store. default_pipeline final_pipeline
 soft_deletes. unassigned. write. load_fixed_bitset_filters_eagerly queries. requests. format shard. provided_name creation_date similarity. mode time_series. number_of_routing_shards
 check_on_startup fielddata. recovery. allocation. warmer. data_path verified_before_close knn`)

// static settings can't be changed on an open index.
var static = []string{"index.number_of_shards", "index.codec", "index.routing_partition_size", "index.number_of_routing_shards", "index.check_on_startup", "index.sort.field", "index.mode"}

// flatten turns nested settings into dotted names under index.
func flatten(v *jsondoc.Value) Settings {
	out := Settings{}
	flattenInto(out, "", v)
	return out
}

func flattenInto(out Settings, prefix string, v *jsondoc.Value) {
	switch {
	case v.IsNull():
	case v.Is(jsondoc.Object):
		for i, k := range v.Keys {
			flattenInto(out, dotted(prefix, k), v.Items[i])
		}
	default:
		name := prefix
		if !strings.HasPrefix(name, "index.") {
			name = "index." + name
		}
		if v.Is(jsondoc.Array) {
			out[name] = string(v.Encode())
			return
		}
		out[name] = v.Text()
	}
}

func dotted(prefix, k string) string {
	if prefix == "" {
		return k
	}
	return prefix + "." + k
}

func (s Settings) validate() *apierr.Error {
	for k, v := range s {
		name := strings.TrimPrefix(k, "index.")
		ok := slices.ContainsFunc(known, func(p string) bool {
			return name == p || strings.HasSuffix(p, ".") && strings.HasPrefix(name, p)
		})
		if !ok {
			return apierr.Illegal("unknown setting [%s] please check that any required plugins are installed, or check the breaking changes documentation for removed settings", k)
		}
		low := map[string]int{"number_of_shards": 1, "number_of_replicas": 0, "max_result_window": 1}
		if lo, isNum := low[name]; isNum {
			n, err := strconv.Atoi(v)
			if err != nil {
				return apierr.Illegal("Failed to parse value [%s] for setting [%s]", v, k)
			}
			if n < lo {
				return apierr.Illegal("Failed to parse value [%s] for setting [%s] must be >= %d", v, k, lo)
			}
		}
	}
	return nil
}

// Nested renders settings as the API shows them.
func (s Settings) Nested() *jsondoc.Value {
	out := jsondoc.Obj()
	keys := make([]string, 0, len(s))
	for k := range s {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		at := out
		path := strings.Split(k, ".")
		for _, p := range path[:len(path)-1] {
			next := at.Get(p)
			if !next.Is(jsondoc.Object) {
				next = jsondoc.Obj()
				at.Set(p, next)
			}
			at = next
		}
		at.Set(path[len(path)-1], s.value(k))
	}
	return out
}

func (s Settings) value(k string) *jsondoc.Value {
	if v := s[k]; strings.HasPrefix(v, "[") {
		if a, err := jsondoc.Parse([]byte(v)); err == nil {
			return a
		}
	}
	return jsondoc.Str(s[k])
}

func (s Settings) texts(k string) []string { return s.value(k).Texts() }

func (s Settings) number(k string, def int) int {
	if n, err := strconv.Atoi(s[k]); err == nil {
		return n
	}
	return def
}

// newMapping returns an empty mapping with the analyzers of the settings.
func (s Settings) newMapping() (*mapping.Mapping, error) {
	m := mapping.New()
	m.Limit = s.number("index.mapping.total_fields.limit", 1000)
	found := map[string]*analysis.Analyzer{}
	for k := range s {
		rest, ok := strings.CutPrefix(k, "index.analysis.analyzer.")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, ".")
		if found[name] != nil {
			continue
		}
		a, err := s.analyzer("index.analysis.analyzer." + name)
		if err != nil {
			return nil, err
		}
		found[name] = a
	}
	m.SetAnalyzers(found)
	return m, nil
}

func (s Settings) analyzer(prefix string) (*analysis.Analyzer, error) {
	typ := s[prefix+".type"]
	if typ != "" && typ != "custom" {
		if a := analysis.Builtin(typ); a != nil {
			return a, nil
		}
		return nil, apierr.Illegal("Unknown analyzer type [%s] for [%s]", typ, prefix)
	}
	a, unknown := analysis.Custom(s[prefix+".tokenizer"], s.texts(prefix+".filter"))
	if a == nil {
		return nil, apierr.Illegal("analyzer [%s] failed to find %s", prefix, unknown)
	}
	return a, nil
}

// Settings returns a copy of the index's settings with those that every index
// has.
func (ix *Index) Settings() Settings {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	out := Settings{}
	maps.Copy(out, ix.settings)
	for k, v := range map[string]string{"index.number_of_shards": "1", "index.number_of_replicas": "1"} {
		if out[k] == "" {
			out[k] = v
		}
	}
	out["index.provided_name"] = ix.Name
	out["index.uuid"] = ix.UUID
	out["index.creation_date"] = strconv.FormatInt(ix.Created.UnixMilli(), 10)
	out["index.version.created"] = "8537000"
	out["index.routing.allocation.include._tier_preference"] = "data_content"
	return out
}

// Window returns max_result_window.
func (ix *Index) Window() int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.settings.number("index.max_result_window", 10_000)
}

// Blocked returns the error of a write to a blocked index, or nil.
func (ix *Index) Blocked() *apierr.Error {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for _, b := range [...][2]string{{"write", "8,index write (api)"}, {"read_only", "5,index read-only (api)"}, {"read_only_allow_delete", "12,disk usage exceeded flood-stage watermark, index has read-only-allow-delete block"}} {
		if ix.settings["index.blocks."+b[0]] == "true" {
			e := apierr.New(http.StatusForbidden, "cluster_block_exception", "index [%s] blocked by: [FORBIDDEN/%s/];", ix.Name, strings.Replace(b[1], ",", "/", 1))
			e.Index = ix.Name
			return e
		}
	}
	return nil
}

// Closed reports whether the index is closed.
func (ix *Index) Closed() bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.closed
}

// ClosedError is what operations on a closed index answer.
func (ix *Index) ClosedError() *apierr.Error {
	e := apierr.New(http.StatusBadRequest, "index_closed_exception", "closed")
	e.Index = ix.Name
	return e
}
