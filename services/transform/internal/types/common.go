package types

// Common returns the type that values of all the types convert to without loss
// of meaning: the type of CASE branches, array elements, UNION columns. The
// second result is false when there is none.
func Common(ts ...Type) (Type, bool) {
	if len(ts) == 0 {
		return Type{}, false
	}
	out := ts[0]
	for _, t := range ts[1:] {
		var ok bool
		if out, ok = common(out, t); !ok {
			return Type{}, false
		}
	}
	return out, true
}

func common(a, b Type) (Type, bool) {
	nullable := a.Nullable || b.Nullable || a.Kind == Null || b.Kind == Null
	t, ok := commonRoot(a, b)
	if a.Attribute != b.Attribute || t.Kind != a.Kind {
		t.Attribute = NoAttribute
	}
	return t.WithNullable(nullable), ok
}

func commonRoot(a, b Type) (Type, bool) {
	switch {
	case a.Kind == Null:
		return b, true
	case b.Kind == Null:
		return a, true
	case a.Kind.IsNumeric() && b.Kind.IsNumeric():
		return commonNumber(a, b), true
	case a.Kind.IsCharacter() && b.Kind.IsCharacter():
		return commonString(a, b, Char, Varchar), true
	case a.Kind.IsBinary() && b.Kind.IsBinary():
		return commonString(a, b, Binary, Varbinary), true
	case a.Kind.IsDatetime() && b.Kind.IsDatetime():
		return commonDatetime(a, b)
	case a.Kind == b.Kind:
		return commonNested(a, b)
	}
	return Type{}, false
}

// IntegerPrecision returns the decimal digits that a number of the type may have.
func IntegerPrecision(k Kind) int {
	switch k {
	case TinyInt:
		return 3
	case SmallInt:
		return 5
	case Int:
		return 10
	default:
		return 19
	}
}

// AsDecimal returns an exact number's type as DECIMAL.
func AsDecimal(t Type) Type {
	if t.Kind.IsInteger() {
		return DecimalType(IntegerPrecision(t.Kind), 0).WithNullable(t.Nullable)
	}
	return t
}

func commonNumber(a, b Type) Type {
	switch {
	case a.Kind.IsInteger() && b.Kind.IsInteger():
		return Of(max(a.Kind, b.Kind))
	case a.Kind.IsExact() && b.Kind.IsExact():
		a, b = AsDecimal(a), AsDecimal(b)
		scale := max(a.Scale, b.Scale)
		return boundedDecimal(max(a.Precision-a.Scale, b.Precision-b.Scale)+scale, scale)
	case a.Kind == Double || b.Kind == Double || a.Kind == Decimal || b.Kind == Decimal:
		return Of(Double)
	default:
		return Of(Float)
	}
}

// boundedDecimal cuts the scale where the precision goes over the maximum.
func boundedDecimal(precision, scale int) Type {
	if precision > MaxDecimalPrecision {
		scale = max(0, min(scale, MaxDecimalPrecision-(precision-scale)))
		precision = MaxDecimalPrecision
	}
	return DecimalType(precision, scale)
}

func commonString(a, b Type, fixed, varying Kind) Type {
	if a.Kind == fixed && b.Kind == fixed && a.Length == b.Length {
		return a
	}
	return Type{Kind: varying, Length: max(a.Length, b.Length)}
}

func commonDatetime(a, b Type) (Type, bool) {
	switch {
	case a.Kind == b.Kind:
		if b.Precision > a.Precision {
			return b, true
		}
		return a, true
	case a.Kind == Time || b.Kind == Time:
		return Type{}, false
	case a.Kind == Date:
		return b, true
	case b.Kind == Date:
		return a, true
	default:
		return TimestampLTZType(max(a.Precision, b.Precision)), true
	}
}

func commonNested(a, b Type) (Type, bool) {
	switch a.Kind {
	case Array, Multiset:
		e, ok := common(*a.Elem, *b.Elem)
		a.Elem = &e
		return a, ok
	case Map:
		k, ok := common(*a.Key, *b.Key)
		if !ok {
			return Type{}, false
		}
		v, ok := common(*a.Elem, *b.Elem)
		a.Key, a.Elem = &k, &v
		return a, ok
	case Row:
		if len(a.Fields) != len(b.Fields) {
			return Type{}, false
		}
		fields := make([]Field, len(a.Fields))
		for i := range fields {
			t, ok := common(a.Fields[i].Type, b.Fields[i].Type)
			if !ok {
				return Type{}, false
			}
			fields[i] = Field{Name: a.Fields[i].Name, Type: t}
		}
		a.Fields = fields
		return a, true
	case Raw:
		return a, a.Class == b.Class
	}
	if b.Precision > a.Precision {
		a.Precision = b.Precision
	}
	return a, true
}
