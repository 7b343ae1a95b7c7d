// Package mapping holds what an index knows of its fields: their types,
// how documents are taken apart into them, and how new fields come to be.
package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// Store is how the values of a field are kept.
type Store uint8

// The kinds of columns. None has no column: objects, binary, disabled fields.
const (
	None  Store = iota
	Ints        // int64: integers, dates, booleans
	Reals       // float64
	Terms       // dictionary and ordinals: keywords, addresses
	Text        // postings
)

// Field is one field of a mapping; fields are immutable once published.
type Field struct {
	Name, Path string
	// Type is the type's name in the mapping: keyword, long, object, nested …
	Type  string
	Store Store
	// ID numbers the fields of one index that have a column.
	ID int
	// Nested is the path of the nested object that the field lives in, or "".
	Nested string

	Children map[string]*Field // properties of an object
	Multi    []*Field          // the multi-fields of a leaf
	Dynamic  string            // "", true, false, strict, runtime
	Enabled  bool

	Params         *jsondoc.Value // as given, without type, properties, fields
	Format         *dates.Format
	Analyzer       *analysis.Analyzer
	SearchAnalyzer *analysis.Analyzer
	IgnoreAbove    int
	IgnoreBad      bool
	Coerce         bool
	Lowercase      bool // the lowercase normalizer
	NullValue      *jsondoc.Value
	CopyTo         []string
	Scaling        float64
	Target         string // of an alias
	Index          bool
	DocValues      bool
	lo, hi         int64 // range of an integer type
}

// IsObject reports whether the field holds other fields.
func (f *Field) IsObject() bool { return f.Type == "object" || f.Type == "nested" }

// IsDate reports whether values are times.
func (f *Field) IsDate() bool { return f.Type == "date" || f.Type == "date_nanos" }

// IsNumber reports whether the field is numeric.
func (f *Field) IsNumber() bool {
	return f.Store == Reals || f.Store == Ints && !f.IsDate() && f.Type != "boolean"
}

// Family is the type that a search sees: keyword for its kin, text for its.
func (f *Field) Family() string {
	switch f.Type {
	case "match_only_text":
		return "text"
	case "constant_keyword", "wildcard", "flattened":
		return "keyword"
	}
	return f.Type
}

// Time turns a stored value of a date field into a time.
func (f *Field) Time(v int64) time.Time {
	if f.Type == "date_nanos" {
		return time.Unix(0, v).UTC()
	}
	return time.UnixMilli(v).UTC()
}

// OfTime turns a time into the stored value of a date field.
func (f *Field) OfTime(t time.Time) int64 {
	if f.Type == "date_nanos" {
		return t.UnixNano()
	}
	return t.UnixMilli()
}

// IgnoredColumn is the column that names a document's ignored fields.
const IgnoredColumn = "_ignored"

// Mapping is an index's mapping. Published mappings are never changed.
type Mapping struct {
	Root             *Field
	Columns          []*Field // by Field.ID
	byPath           map[string]*Field
	DateDetection    bool
	NumericDetection bool
	DynamicFormats   *dates.Format
	Templates        []*jsondoc.Value
	Limit            int // of the number of fields
	extra            *jsondoc.Value
	analyzers        map[string]*analysis.Analyzer
}

// New returns an empty mapping.
func New() *Mapping {
	m := &Mapping{
		Root:   &Field{Type: "object", Children: map[string]*Field{}, Enabled: true},
		byPath: map[string]*Field{}, DateDetection: true, Limit: 1000,
		extra: jsondoc.Obj(), analyzers: map[string]*analysis.Analyzer{},
	}
	// The column 0 names the fields whose values a document has but that are
	// not indexed: too long, or malformed and let pass.
	m.Columns = []*Field{{Name: IgnoredColumn, Path: IgnoredColumn, Type: "keyword", Store: Terms}}
	return m
}

// SetAnalyzers names the custom analyzers of the index's settings.
func (m *Mapping) SetAnalyzers(a map[string]*analysis.Analyzer) { m.analyzers = a }

// Analyzer returns an analyzer by name, or nil.
func (m *Mapping) Analyzer(name string) *analysis.Analyzer {
	if a := m.analyzers[name]; a != nil {
		return a
	}
	return analysis.Builtin(name)
}

// Field returns a field by its full path, or nil. Aliases are followed.
func (m *Mapping) Field(path string) *Field {
	f := m.byPath[path]
	if f != nil && f.Type == "alias" {
		return m.byPath[f.Target]
	}
	return f
}

// Paths calls fn for every field, objects and multi-fields included, in the
// order of their paths.
func (m *Mapping) Paths(fn func(path string, f *Field)) {
	paths := make([]string, 0, len(m.byPath))
	for p := range m.byPath {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		fn(p, m.Field(p))
	}
}

// Match returns the fields whose paths match a pattern with stars, leaves
// only, sorted.
func (m *Mapping) Match(pattern string) []*Field {
	if !strings.Contains(pattern, "*") {
		if f := m.Field(pattern); f != nil && !f.IsObject() {
			return []*Field{f}
		}
		return nil
	}
	var out []*Field
	m.Paths(func(p string, f *Field) {
		if f != nil && !f.IsObject() && Glob(pattern, p) {
			out = append(out, f)
		}
	})
	return out
}

// Under returns the leaf fields below an object's path.
func (m *Mapping) Under(path string) []*Field {
	return m.Match(path + ".*")
}

// Clone returns a deep copy whose fields may be added to.
func (m *Mapping) Clone() *Mapping {
	c := *m
	c.byPath = make(map[string]*Field, len(m.byPath)+8)
	c.Columns = slices.Clone(m.Columns)
	c.Root = c.cloneField(m.Root)
	return &c
}

func (m *Mapping) cloneField(f *Field) *Field {
	n := *f
	if f.Children != nil {
		n.Children = make(map[string]*Field, len(f.Children)+1)
		for k, ch := range f.Children {
			n.Children[k] = m.cloneField(ch)
		}
	}
	if len(f.Multi) > 0 {
		n.Multi = make([]*Field, len(f.Multi))
		for i, s := range f.Multi {
			n.Multi[i] = m.cloneField(s)
		}
	}
	if n.Path != "" {
		m.byPath[n.Path] = &n
	}
	if n.Store != None {
		m.Columns[n.ID] = &n
	}
	return &n
}

// register gives a field that was just made its number and place.
func (m *Mapping) register(f *Field) {
	m.byPath[f.Path] = f
	if f.Store != None {
		f.ID = len(m.Columns)
		m.Columns = append(m.Columns, f)
	}
	for _, s := range f.Multi {
		m.register(s)
	}
}

// Glob matches a pattern in which * stands for any text.
func Glob(pattern, s string) bool {
	for {
		star := strings.IndexByte(pattern, '*')
		if star < 0 {
			return pattern == s
		}
		if !strings.HasPrefix(s, pattern[:star]) {
			return false
		}
		s = s[star:]
		pattern = strings.TrimLeft(pattern[star:], "*")
		if pattern == "" {
			return true
		}
		next := strings.IndexByte(pattern, '*')
		if next < 0 {
			return strings.HasSuffix(s, pattern)
		}
		at := strings.Index(s, pattern[:next])
		if at < 0 {
			return false
		}
		s = s[at:]
	}
}
