package types

import (
	"strconv"
	"strings"
)

// String returns the type as SQL prints it, such as
// "ROW<`a` INT NOT NULL, `b` STRING> NOT NULL" or "TIMESTAMP(3) *ROWTIME*".
func (t Type) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t Type) write(b *strings.Builder) {
	t.writeRoot(b)
	if !t.Nullable && t.Kind != Null {
		b.WriteString(" NOT NULL")
	}
	switch t.Attribute {
	case Rowtime:
		b.WriteString(" *ROWTIME*")
	case Proctime:
		b.WriteString(" *PROCTIME*")
	}
}

func (t Type) writeRoot(b *strings.Builder) {
	switch t.Kind {
	case Varchar:
		if t.Length == MaxLength {
			b.WriteString("STRING")
			return
		}
		t.writeNamed(b, t.Length)
	case Varbinary:
		if t.Length == MaxLength {
			b.WriteString("BYTES")
			return
		}
		t.writeNamed(b, t.Length)
	case Char, Binary:
		t.writeNamed(b, t.Length)
	case Decimal:
		t.writeNamed(b, t.Precision, t.Scale)
	case Time, Timestamp, TimestampLTZ, IntervalDayTime:
		t.writeNamed(b, t.Precision)
	case Array, Multiset:
		b.WriteString(t.Kind.String())
		b.WriteByte('<')
		t.Elem.write(b)
		b.WriteByte('>')
	case Map:
		b.WriteString("MAP<")
		t.Key.write(b)
		b.WriteString(", ")
		t.Elem.write(b)
		b.WriteByte('>')
	case Row:
		t.writeRow(b)
	case Raw:
		b.WriteString("RAW('" + t.Class + "', ?)")
	default:
		b.WriteString(t.Kind.String())
	}
}

func (t Type) writeNamed(b *strings.Builder, params ...int) {
	b.WriteString(t.Kind.String())
	b.WriteByte('(')
	for i, p := range params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(p))
	}
	b.WriteByte(')')
}

func (t Type) writeRow(b *strings.Builder) {
	b.WriteString("ROW<")
	for i, f := range t.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteName(f.Name))
		b.WriteByte(' ')
		f.Type.write(b)
		if f.Comment != "" {
			b.WriteString(" '" + strings.ReplaceAll(f.Comment, "'", "''") + "'")
		}
	}
	b.WriteByte('>')
}

// QuoteName returns an identifier between backquotes.
func QuoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
