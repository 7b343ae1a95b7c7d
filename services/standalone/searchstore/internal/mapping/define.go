package mapping

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// stores maps each type to how its values are kept.
var stores = map[string]Store{
	"object": None, "nested": None, "binary": None, "geo_point": None, "geo_shape": None, "alias": None, "dense_vector": None, "completion": None,
	"keyword": Terms, "constant_keyword": Terms, "wildcard": Terms, "flattened": Terms, "ip": Terms, "version": Terms,
	"text": Text, "match_only_text": Text, "search_as_you_type": Text,
	"long": Ints, "integer": Ints, "short": Ints, "byte": Ints, "unsigned_long": Ints, "boolean": Ints, "date": Ints, "date_nanos": Ints, "token_count": Ints,
	"double": Reals, "float": Reals, "half_float": Reals, "scaled_float": Reals,
}

// params are the mapping parameters that are understood or safely ignored.
var params = strings.Fields("format analyzer search_analyzer search_quote_analyzer ignore_above ignore_malformed coerce normalizer null_value copy_to scaling_factor path index doc_values store norms index_options similarity term_vector boost fielddata eager_global_ordinals meta locale split_queries_on_whitespace position_increment_gap include_in_parent include_in_root value time_series_dimension time_series_metric depth_limit dims index_prefixes index_phrases enabled dynamic properties fields type subobjects on_script_error script ignore_z_value synthetic_source_keep include_in_all max_input_length preserve_separators preserve_position_increments contexts element_type")

func mapperError(format string, args ...any) *apierr.Error {
	return apierr.New(http.StatusBadRequest, "mapper_parsing_exception", format, args...)
}

// rootKeys are the members of a mapping beside properties.
var rootKeys = []string{"dynamic", "date_detection", "numeric_detection", "dynamic_date_formats", "dynamic_templates", "_source", "_routing", "_meta", "_data_stream_timestamp", "runtime", "properties", "enabled", "_field_names", "subobjects", "_size"}

// Merge returns a mapping with a definition laid over m; m is not changed.
func (m *Mapping) Merge(def *jsondoc.Value) (*Mapping, error) {
	n := m.Clone()
	n.extra = jsondoc.Merge(jsondoc.Obj(), m.extra)
	if def.IsNull() {
		return n, nil
	}
	if !def.Is(jsondoc.Object) {
		return nil, mapperError("Failed to parse mapping: expected an object")
	}
	for i, k := range def.Keys {
		v := def.Items[i]
		if !slices.Contains(rootKeys, k) {
			if v.Get("properties") != nil && len(def.Keys) == 1 {
				return nil, apierr.Illegal("The mapping definition cannot be nested under a type [%s] unless include_type_name is set to true.", k)
			}
			return nil, wrapMapper(mapperError("Root mapping definition has unsupported parameters:  [%s : %s]", k, v.Encode()))
		}
		if err := n.rootParam(k, v); err != nil {
			return nil, err
		}
	}
	if props := def.Get("properties"); !props.IsNull() {
		if err := n.addProperties(n.Root, props); err != nil {
			return nil, err
		}
	}
	if len(n.byPath) > n.Limit {
		return nil, apierr.Illegal("Limit of total fields [%d] has been exceeded", n.Limit)
	}
	return n, nil
}

func wrapMapper(e *apierr.Error) *apierr.Error {
	top := mapperError("Failed to parse mapping: %s", e.Reason)
	top.Cause = e
	return top
}

func (m *Mapping) rootParam(k string, v *jsondoc.Value) error {
	switch k {
	case "properties":
		return nil
	case "dynamic":
		m.Root.Dynamic = v.Text()
	case "enabled":
		b, _ := v.Truth()
		m.Root.Enabled = b
		m.extra.Set(k, v)
	case "date_detection":
		m.DateDetection, _ = v.Truth()
		m.extra.Set(k, v)
	case "numeric_detection":
		m.NumericDetection, _ = v.Truth()
		m.extra.Set(k, v)
	case "dynamic_date_formats":
		f, err := dates.ParseFormat(strings.Join(v.Texts(), "||"))
		if err != nil {
			return wrapMapper(mapperError("%s", err))
		}
		m.DynamicFormats = f
		m.extra.Set(k, v)
	case "dynamic_templates":
		m.Templates = m.Templates[:0:0]
		for _, t := range v.List() {
			if t.Is(jsondoc.Object) && len(t.Items) == 1 {
				m.Templates = append(m.Templates, t.Items[0])
			}
		}
		m.extra.Set(k, v)
	default:
		m.extra.Set(k, v)
	}
	return nil
}

func (m *Mapping) addProperties(parent *Field, props *jsondoc.Value) error {
	if !props.Is(jsondoc.Object) {
		return wrapMapper(mapperError("Expected map for property [properties] on field [%s]", parent.Path))
	}
	for i, name := range props.Keys {
		def := props.Items[i]
		if !def.Is(jsondoc.Object) {
			return wrapMapper(mapperError("Expected map for property [fields] on field [%s] but got a %s", name, def.Encode()))
		}
		if name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") {
			return wrapMapper(mapperError("field name cannot be an empty string"))
		}
		obj := parent
		for { // a.b is the property b of the object a
			head, rest, dotted := strings.Cut(name, ".")
			if !dotted {
				break
			}
			obj = m.object(obj, head, "object")
			if obj == nil {
				return apierr.Illegal("can't merge a non object mapping [%s] with an object mapping", head)
			}
			name = rest
		}
		if err := m.addField(obj, name, def); err != nil {
			return err
		}
	}
	return nil
}

// object returns the object child of a name, making it when missing; nil when
// the name is taken by a leaf.
func (m *Mapping) object(parent *Field, name, typ string) *Field {
	if f := parent.Children[name]; f != nil {
		if !f.IsObject() {
			return nil
		}
		return f
	}
	f := &Field{Name: name, Path: join(parent.Path, name), Type: typ, Children: map[string]*Field{}, Enabled: true, Nested: inside(parent)}
	parent.Children[name] = f
	m.register(f)
	return f
}

func join(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// inside returns the nested path that children of an object live in.
func inside(parent *Field) string {
	if parent.Type == "nested" {
		return parent.Path
	}
	return parent.Nested
}

func (m *Mapping) addField(parent *Field, name string, def *jsondoc.Value) error {
	typ := def.Get("type").Text()
	if typ == "" {
		typ = "object"
		if old := parent.Children[name]; old != nil {
			typ = old.Type
		}
	}
	old := parent.Children[name]
	if typ == "object" || typ == "nested" {
		return m.addObject(parent, old, name, typ, def)
	}
	if old != nil && old.Type != typ {
		if old.IsObject() {
			return apierr.Illegal("can't merge a non object mapping [%s] with an object mapping", old.Path)
		}
		return apierr.Illegal("mapper [%s] cannot be changed from type [%s] to [%s]", old.Path, old.Type, typ)
	}
	f, err := m.leaf(join(parent.Path, name), name, typ, def, inside(parent))
	if err != nil {
		return err
	}
	if old != nil {
		m.replace(parent, old, f)
		return nil
	}
	parent.Children[name] = f
	m.register(f)
	return nil
}

// replace puts a changed definition of the same type into an old field's place.
func (m *Mapping) replace(parent, old, f *Field) {
	f.ID = old.ID
	if f.Store != None {
		m.Columns[f.ID] = f
	}
	m.byPath[f.Path] = f
	parent.Children[f.Name] = f
	for _, s := range old.Multi {
		if i := slices.IndexFunc(f.Multi, func(x *Field) bool { return x.Name == s.Name }); i >= 0 {
			n := f.Multi[i]
			n.ID = s.ID
			m.Columns[n.ID] = n
			m.byPath[n.Path] = n
		} else {
			f.Multi = append(f.Multi, s)
		}
	}
	for _, n := range f.Multi {
		if m.byPath[n.Path] == nil {
			m.register(n)
		}
	}
}

func (m *Mapping) addObject(parent, old *Field, name, typ string, def *jsondoc.Value) error {
	if old != nil && !old.IsObject() {
		return apierr.Illegal("can't merge a non object mapping [%s] with an object mapping", old.Path)
	}
	if old != nil && old.Type != typ {
		return apierr.Illegal("cannot change object mapping from %s to %s", nestedWord(old.Type), nestedWord(typ))
	}
	for _, k := range def.Keys {
		if !slices.Contains(params, k) {
			return wrapMapper(mapperError("unknown parameter [%s] on mapper [%s] of type [%s]", k, name, typ))
		}
	}
	f := m.object(parent, name, typ)
	if d := def.Get("dynamic"); d != nil {
		f.Dynamic = d.Text()
	}
	if e, ok := def.Get("enabled").Truth(); ok {
		f.Enabled = e
	}
	f.Params = rest(def)
	if props := def.Get("properties"); !props.IsNull() {
		return m.addProperties(f, props)
	}
	return nil
}

func nestedWord(t string) string {
	if t == "nested" {
		return "nested"
	}
	return "non-nested"
}

// rest keeps the parameters that are shown again.
func rest(def *jsondoc.Value) *jsondoc.Value {
	out := jsondoc.Obj()
	for i, k := range def.Keys {
		switch k {
		case "type", "properties", "fields", "dynamic":
			continue
		case "index", "doc_values", "norms", "coerce":
			if b, ok := def.Items[i].Truth(); ok && b {
				continue
			}
		case "enabled":
			if b, ok := def.Items[i].Truth(); ok && b {
				continue
			}
		case "store", "ignore_malformed":
			if b, ok := def.Items[i].Truth(); ok && !b {
				continue
			}
		}
		out.Set(k, def.Items[i])
	}
	return out
}

func (m *Mapping) leaf(path, name, typ string, def *jsondoc.Value, nested string) (*Field, error) {
	store, ok := stores[typ]
	if !ok {
		return nil, wrapMapper(mapperError("The mapper type [%s] declared on field [%s] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation.", typ, name))
	}
	f := &Field{Name: name, Path: path, Type: typ, Store: store, Nested: nested, Enabled: true, Coerce: true, Index: true, DocValues: true,
		Params: rest(def), IgnoreAbove: math.MaxInt, lo: math.MinInt64, hi: math.MaxInt64}
	for _, k := range def.Keys {
		if !slices.Contains(params, k) {
			return nil, wrapMapper(mapperError("unknown parameter [%s] on mapper [%s] of type [%s]", k, name, typ))
		}
	}
	if err := m.leafParams(f, def); err != nil {
		return nil, err
	}
	if !f.Index && !f.DocValues {
		f.Store = None
	}
	if subs := def.Get("fields"); subs.Is(jsondoc.Object) {
		for i, sub := range subs.Keys {
			s, err := m.leaf(join(path, sub), sub, subs.Items[i].Get("type").Text(), subs.Items[i], nested)
			if err != nil {
				return nil, err
			}
			f.Multi = append(f.Multi, s)
		}
	}
	return f, nil
}

func (m *Mapping) leafParams(f *Field, def *jsondoc.Value) error {
	if b, ok := def.Get("index").Truth(); ok {
		f.Index = b
	}
	if b, ok := def.Get("doc_values").Truth(); ok {
		f.DocValues = b
	}
	if b, ok := def.Get("coerce").Truth(); ok {
		f.Coerce = b
	}
	if b, ok := def.Get("ignore_malformed").Truth(); ok {
		f.IgnoreBad = b
	}
	if n, ok := def.Get("ignore_above").Int64(); ok {
		f.IgnoreAbove = int(n)
	}
	if v := def.Get("null_value"); !v.IsNull() {
		f.NullValue = v
	}
	f.CopyTo = def.Get("copy_to").Texts()
	f.Target = def.Get("path").Text()
	if n := def.Get("normalizer").Text(); n != "" {
		if n != "lowercase" {
			return wrapMapper(mapperError("normalizer [%s] not found for field [%s]", n, f.Name))
		}
		f.Lowercase = true
	}
	switch f.Type {
	case "integer":
		f.lo, f.hi = math.MinInt32, math.MaxInt32
	case "short":
		f.lo, f.hi = math.MinInt16, math.MaxInt16
	case "byte":
		f.lo, f.hi = math.MinInt8, math.MaxInt8
	case "unsigned_long":
		f.lo = 0
	case "scaled_float":
		s, ok := def.Get("scaling_factor").Float64()
		if !ok || s <= 0 {
			return wrapMapper(mapperError("Field [scaling_factor] is required"))
		}
		f.Scaling = s
	case "date", "date_nanos":
		text := def.Get("format").Text()
		if text == "" {
			text = dates.DefaultFormat
		}
		var err error
		if f.Format, err = dates.ParseFormat(text); err != nil {
			return wrapMapper(mapperError("Invalid format: [%s]: %s", text, err))
		}
	}
	if f.Store == Text {
		return m.textAnalyzers(f, def)
	}
	return nil
}

func (m *Mapping) textAnalyzers(f *Field, def *jsondoc.Value) error {
	name := def.Get("analyzer").Text()
	if f.Analyzer = m.Analyzer(name); f.Analyzer == nil {
		return wrapMapper(mapperError("analyzer [%s] has not been configured in mappings", name))
	}
	f.SearchAnalyzer = f.Analyzer
	if s := def.Get("search_analyzer").Text(); s != "" {
		if f.SearchAnalyzer = m.Analyzer(s); f.SearchAnalyzer == nil {
			return wrapMapper(mapperError("analyzer [%s] has not been configured in mappings", s))
		}
	}
	return nil
}
