package types

// minScale is how many fraction digits a result keeps when its precision has to
// be cut to the maximum.
const minScale = 6

// adjust brings a derived precision and scale within the maximum, giving up
// fraction digits before integer digits.
func adjust(precision, scale int) Type {
	if precision <= MaxDecimalPrecision {
		return DecimalType(precision, scale)
	}
	integers := precision - scale
	scale = max(MaxDecimalPrecision-integers, min(scale, minScale))
	return DecimalType(MaxDecimalPrecision, scale)
}

// Arithmetic returns the type of a op b for numbers; op is one of + - * / %.
func Arithmetic(op byte, a, b Type) Type {
	nullable := a.Nullable || b.Nullable
	if a.Kind == Null {
		a = b
	}
	if b.Kind == Null {
		b = a
	}
	decimals := a.Kind == Decimal && b.Kind.IsExact() || b.Kind == Decimal && a.Kind.IsExact()
	if !decimals {
		if op == '%' && !a.Kind.IsApprox() && !b.Kind.IsApprox() {
			return b.WithNullable(nullable)
		}
		if a.Kind.IsApprox() && b.Kind.IsApprox() {
			return a.WithNullable(nullable) // Calcite takes both for equally wide, and the first then
		}
		return commonNumber(a, b).WithNullable(nullable)
	}
	if op == '%' && a.Scale == 0 && b.Scale == 0 {
		return b.WithNullable(nullable)
	}
	return decimalArithmetic(op, AsDecimal(a), AsDecimal(b)).WithNullable(nullable)
}

func decimalArithmetic(op byte, a, b Type) Type {
	p1, s1, p2, s2 := a.Precision, a.Scale, b.Precision, b.Scale
	switch op {
	case '*':
		return adjust(p1+p2+1, s1+s2)
	case '/':
		scale := max(minScale, s1+p2+1)
		return adjust(p1-s1+s2+scale, scale)
	case '%':
		scale := max(s1, s2)
		return adjust(min(p1-s1, p2-s2)+scale, scale)
	default:
		scale := max(s1, s2)
		return adjust(max(p1-s1, p2-s2)+scale+1, scale)
	}
}

// Sum returns the type of SUM over t.
func Sum(t Type) Type {
	if t.Kind == Decimal {
		return DecimalType(MaxDecimalPrecision, t.Scale)
	}
	return t.Plain().OrNull()
}

// Avg returns the type of AVG, STDDEV and VARIANCE over t.
func Avg(t Type) Type {
	if t.Kind == Decimal {
		return DecimalType(MaxDecimalPrecision, max(minScale, t.Scale))
	}
	return t.Plain().OrNull()
}

// Round returns the type of ROUND(t, digits).
func Round(t Type, digits int) Type {
	if t.Kind != Decimal || digits >= t.Scale {
		return t
	}
	if digits < 0 {
		return DecimalType(min(MaxDecimalPrecision, 1+t.Precision-t.Scale), 0).WithNullable(t.Nullable)
	}
	return DecimalType(min(MaxDecimalPrecision, 1+t.Precision-t.Scale+digits), digits).WithNullable(t.Nullable)
}

// Concat returns the type of a || b.
func Concat(a, b Type) Type {
	nullable := a.Nullable || b.Nullable
	length := MaxLength
	if a.Length < MaxLength && b.Length < MaxLength-a.Length {
		length = a.Length + b.Length
	}
	kind := Varchar
	switch {
	case a.Kind.IsBinary() && b.Kind.IsBinary():
		kind = Varbinary
		if a.Kind == Binary && b.Kind == Binary {
			kind = Binary
		}
	case a.Kind == Char && b.Kind == Char:
		kind = Char
	}
	return Type{Kind: kind, Length: length, Nullable: nullable}
}
