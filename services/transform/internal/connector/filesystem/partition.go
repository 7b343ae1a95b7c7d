package filesystem

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/format/csv"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// partitions are the columns of PARTITIONED BY: they are not in the files but in the
// names of their folders, in Hive's way: day=2026-01-31/hour=07.
type partitions struct {
	keys   []int // columns of the table, in the order of the folders
	fields []types.Field
	null   string // the folder of NULL and of an empty text
	text   *csv.Encoder
	path   []byte
	value  []byte
}

// newPartitions returns the partitions of a table; nil without PARTITIONED BY.
func newPartitions(t *plan.Table, null string) (*partitions, error) {
	if len(t.PartitionKeys) == 0 {
		return nil, nil
	}
	p := &partitions{null: null}
	for _, k := range t.PartitionKeys {
		i := slices.IndexFunc(t.Physical, func(f types.Field) bool { return f.Name == k })
		if i < 0 {
			return nil, fmt.Errorf("table %q: PARTITIONED BY names %q, which is not stored", t.Name, k)
		}
		p.keys, p.fields = append(p.keys, i), append(p.fields, t.Physical[i])
	}
	if len(p.keys) == len(t.Physical) {
		return nil, fmt.Errorf("table %q: PARTITIONED BY names all columns: one at least must be left for the files", t.Name)
	}
	var err error
	p.text, err = csv.NewEncoder(p.fields, plain)
	return p, err
}

// plain are the options for a value that stands alone.
var plain = csv.Options{FieldDelimiter: ",", ArrayDelimiter: ";", PlainDecimals: true}

// others returns the fields that are in the files.
func (p *partitions) others(fields []types.Field) []types.Field {
	if p == nil {
		return fields
	}
	var out []types.Field
	for i, f := range fields {
		if !slices.Contains(p.keys, i) {
			out = append(out, f)
		}
	}
	return out
}

// rest appends the columns that are in the files to dst.
func (p *partitions) rest(dst, cols []*column.Vector) []*column.Vector {
	for i, c := range cols {
		if !slices.Contains(p.keys, i) {
			dst = append(dst, c)
		}
	}
	return dst
}

// dir returns the folders of a row's partition.
func (p *partitions) dir(cols []*column.Vector, row int) string {
	p.path = p.path[:0]
	for k, c := range p.keys {
		if k > 0 {
			p.path = append(p.path, filepath.Separator)
		}
		p.path = append(append(p.path, escape(p.fields[k].Name)...), '=')
		if cols[c].IsNull(row) {
			p.path = append(p.path, p.null...)
			continue
		}
		p.value, _ = p.text.AppendRow(p.value[:0], cols[c:c+1], row) // it has no error
		if len(p.value) == 0 {
			p.path = append(p.path, p.null...)
			continue
		}
		p.path = append(p.path, escape(string(p.value))...)
	}
	return string(p.path)
}

// escape replaces what has a meaning in paths by %XX, as Hive and Flink do.
func escape(s string) string {
	if !strings.ContainsFunc(s, special) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; special(rune(c)) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func special(r rune) bool {
	return r < ' ' || r == 0x7F || r < 0x80 && strings.ContainsRune("\"#%'*/:=?\\{[]^", r)
}

// values sets the columns of PARTITIONED BY to what a file's folders say.
func (p *partitions) values(file string, columns []*column.Vector) error {
	found := make(map[string]string)
	for folder := range strings.SplitSeq(filepath.Dir(file), string(filepath.Separator)) {
		if k, v, ok := strings.Cut(folder, "="); ok {
			found[unescape(k)] = unescape(v)
		}
	}
	for k, f := range p.fields {
		v := columns[k]
		if v == nil {
			continue
		}
		v.Reset(0)
		text, ok := found[f.Name]
		switch {
		case !ok:
			return fmt.Errorf("%s: no folder %q of PARTITIONED BY in its path", file, f.Name+"=…")
		case text == p.null:
			v.Append(nil)
			continue
		case f.Type.Kind.IsCharacter():
			v.Append(text)
			continue
		}
		if err := p.parse(f, text, v); err != nil {
			return fmt.Errorf("%s: partition %s: %w", file, f.Name, err)
		}
	}
	return nil
}

// parse sets a value from its text.
func (p *partitions) parse(f types.Field, text string, v *column.Vector) error {
	d, err := csv.NewDecoder([]types.Field{f}, []string{f.Name}, plain)
	if err != nil {
		return err
	}
	d.Begin(1)
	if _, err := d.Decode([]byte(text)); err != nil {
		return err
	}
	cols, _ := d.Finish()
	v.AppendRow(cols[0], 0)
	return nil
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
