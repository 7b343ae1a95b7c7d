package types

// Kind is the root of a type, without its parameters.
type Kind uint8

// The kinds of SQL types.
const (
	Invalid Kind = iota
	Null         // the type of the literal NULL before it is coerced
	Boolean
	TinyInt
	SmallInt
	Int
	BigInt
	Float
	Double
	Decimal
	Char
	Varchar // STRING is VARCHAR(MaxLength)
	Binary
	Varbinary // BYTES is VARBINARY(MaxLength)
	Date
	Time
	Timestamp
	TimestampLTZ
	IntervalYearMonth
	IntervalDayTime
	Array
	Multiset
	Map
	Row
	Raw
	Symbol     // a keyword argument, such as YEAR in EXTRACT(YEAR FROM x)
	Descriptor // DESCRIPTOR(column) as an argument of a window function
)

// MaxLength is the length of STRING and BYTES.
const MaxLength = 2147483647

// Limits and defaults of parameters.
const (
	MaxDecimalPrecision       = 38
	DefaultDecimalPrecision   = 10
	MaxTimestampPrecision     = 9
	DefaultTimestampPrecision = 6
)

// Attribute says whether a timestamp column is a time attribute of its table.
type Attribute uint8

// The time attributes.
const (
	NoAttribute Attribute = iota
	Rowtime
	Proctime
)

// Type is a SQL type with its parameters and nullability.
type Type struct {
	Kind      Kind
	Nullable  bool
	Length    int       // CHAR, VARCHAR, BINARY, VARBINARY
	Precision int       // DECIMAL digits; fraction digits of TIME, TIMESTAMP, TIMESTAMP_LTZ and INTERVAL DAY TO SECOND
	Scale     int       // DECIMAL
	Attribute Attribute // TIMESTAMP and TIMESTAMP_LTZ
	Key       *Type     // MAP
	Elem      *Type     // ARRAY and MULTISET element, MAP value
	Fields    []Field   // ROW
	Class     string    // RAW
}

// Field is a named column of a table or field of a ROW.
type Field struct {
	Name    string
	Type    Type
	Comment string
}

// Of returns the nullable type of a kind that needs no parameters.
func Of(k Kind) Type {
	t := Type{Kind: k, Nullable: true}
	switch k {
	case Char, Binary:
		t.Length = 1
	case Varchar, Varbinary:
		t.Length = MaxLength
	case Decimal:
		t.Precision = DefaultDecimalPrecision
	case Timestamp, TimestampLTZ:
		t.Precision = DefaultTimestampPrecision
	case IntervalDayTime:
		t.Precision = 3
	}
	return t
}

// StringType returns the nullable type STRING.
func StringType() Type { return Of(Varchar) }

// BytesType returns the nullable type BYTES.
func BytesType() Type { return Of(Varbinary) }

// CharType returns CHAR(n).
func CharType(n int) Type { return Type{Kind: Char, Nullable: true, Length: n} }

// VarcharType returns VARCHAR(n).
func VarcharType(n int) Type { return Type{Kind: Varchar, Nullable: true, Length: n} }

// DecimalType returns DECIMAL(precision, scale).
func DecimalType(precision, scale int) Type {
	return Type{Kind: Decimal, Nullable: true, Precision: precision, Scale: scale}
}

// TimeType returns TIME(precision).
func TimeType(precision int) Type { return Type{Kind: Time, Nullable: true, Precision: precision} }

// TimestampType returns TIMESTAMP(precision).
func TimestampType(precision int) Type {
	return Type{Kind: Timestamp, Nullable: true, Precision: precision}
}

// TimestampLTZType returns TIMESTAMP_LTZ(precision).
func TimestampLTZType(precision int) Type {
	return Type{Kind: TimestampLTZ, Nullable: true, Precision: precision}
}

// ArrayOf returns ARRAY<elem>.
func ArrayOf(elem Type) Type { return Type{Kind: Array, Nullable: true, Elem: &elem} }

// MultisetOf returns MULTISET<elem>.
func MultisetOf(elem Type) Type { return Type{Kind: Multiset, Nullable: true, Elem: &elem} }

// MapOf returns MAP<key, value>.
func MapOf(key, value Type) Type {
	return Type{Kind: Map, Nullable: true, Key: &key, Elem: &value}
}

// RowOf returns ROW<fields>.
func RowOf(fields ...Field) Type { return Type{Kind: Row, Nullable: true, Fields: fields} }

// NotNull returns the same type without NULL.
func (t Type) NotNull() Type { return t.WithNullable(false) }

// OrNull returns the same type with NULL.
func (t Type) OrNull() Type { return t.WithNullable(true) }

// WithNullable returns the same type with the nullability given.
func (t Type) WithNullable(nullable bool) Type {
	t.Nullable = nullable
	return t
}

// Plain returns the type without its time attribute.
func (t Type) Plain() Type {
	t.Attribute = NoAttribute
	return t
}

// Equal reports whether both are the same type, nullability included. Time
// attributes and comments do not count.
func (t Type) Equal(o Type) bool { return t.Nullable == o.Nullable && t.equal(o, Type.Equal) }

// Same reports whether both are the same type but for nullability at any depth.
func (t Type) Same(o Type) bool { return t.equal(o, Type.Same) }

func (t Type) equal(o Type, nested func(a, b Type) bool) bool {
	if t.Kind != o.Kind || t.Length != o.Length || t.Precision != o.Precision || t.Scale != o.Scale ||
		t.Class != o.Class || len(t.Fields) != len(o.Fields) ||
		(t.Key == nil) != (o.Key == nil) || (t.Elem == nil) != (o.Elem == nil) {
		return false
	}
	if t.Key != nil && !nested(*t.Key, *o.Key) {
		return false
	}
	if t.Elem != nil && !nested(*t.Elem, *o.Elem) {
		return false
	}
	for i, f := range t.Fields {
		if f.Name != o.Fields[i].Name || !nested(f.Type, o.Fields[i].Type) {
			return false
		}
	}
	return true
}

// FieldIndex returns the position of the field called name in a ROW, or -1.
func (t Type) FieldIndex(name string) int {
	for i, f := range t.Fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}
