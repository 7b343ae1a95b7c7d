package types

// CanCast reports whether CAST(from AS to) is allowed.
func CanCast(from, to Type) bool {
	f, t := from.Kind, to.Kind
	switch {
	case f == Null || f == t && !f.IsNested():
		return true
	case t.IsCharacter():
		return f != Symbol && f != Descriptor
	case f.IsCharacter():
		return t.IsNumeric() || t == Boolean || t.IsBinary() || t.IsDatetime() || t.IsInterval()
	case f.IsNumeric():
		return t.IsNumeric() || t == Boolean || t.IsInterval() && f.IsExact()
	case f == Boolean:
		return t.IsNumeric()
	case f.IsBinary():
		return t.IsBinary() || t == Raw
	case f.IsDatetime() && t.IsDatetime():
		return castDatetime(f, t)
	case f.IsInterval():
		return t.IsExact() && t != Decimal
	}
	return castNested(from, to)
}

func castDatetime(from, to Kind) bool {
	switch from {
	case Date:
		return to != Time
	case Time:
		return to.IsTimestamp()
	}
	return true
}

func castNested(from, to Type) bool {
	if from.Kind == Multiset && to.Kind == Map {
		return CanCast(*from.Elem, *to.Key) && to.Elem.Kind.IsInteger()
	}
	if from.Kind != to.Kind {
		return false
	}
	switch from.Kind {
	case Array, Multiset:
		return CanCast(*from.Elem, *to.Elem)
	case Map:
		return CanCast(*from.Key, *to.Key) && CanCast(*from.Elem, *to.Elem)
	case Row:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range from.Fields {
			if !CanCast(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return from.Kind == Raw && from.Class == to.Class
}

// CanAssign reports whether a value of a query's column converts into a sink's
// column by itself, without a CAST in the query: to wider numbers, approximate
// ones and DECIMAL, to other lengths, and among times that lose no more than
// their zone or part of them.
func CanAssign(from, to Type) bool {
	f, t := from.Kind, to.Kind
	switch {
	case f == Null:
		return true
	case f.IsNested() || f == Raw:
		return assignNested(from, to, CanAssign)
	case f == t, f == Char && t == Varchar, f == Binary && t == Varbinary:
		return true
	case f.IsInteger():
		return t.IsInteger() && t > f || t.IsNumeric() && !t.IsInteger()
	case f == Decimal || f == Float:
		return t == Decimal || t == Float || t == Double
	case f == Double:
		return t == Decimal
	case f == Timestamp:
		return t == Date || t == Time || t == TimestampLTZ
	}
	return f == TimestampLTZ && t == Timestamp
}

// CanPass reports whether an argument converts by itself to the type of a
// parameter of a user's function. It takes more than CanAssign: numbers of any
// kind, which are checked when the function is called.
func CanPass(from, to Type) bool {
	f, t := from.Kind, to.Kind
	switch {
	case f == Null:
		return true
	case f.IsCharacter():
		return t.IsCharacter()
	case f.IsBinary():
		return t.IsBinary()
	case f.IsNumeric():
		return t.IsNumeric()
	case f.IsDatetime():
		return t.IsDatetime() && (f == t || f == Date && t != Time || f.IsTimestamp() && t != Time && t != Date)
	case f == Multiset && t == Map:
		return true
	}
	return f == t && (!f.IsNested() && f != Raw || assignNested(from, to, CanPass))
}

// assignNested applies a rule to the parts of two types.
func assignNested(from, to Type, can func(from, to Type) bool) bool {
	if from.Kind != to.Kind {
		return false
	}
	switch from.Kind {
	case Array, Multiset:
		return can(*from.Elem, *to.Elem)
	case Map:
		return can(*from.Key, *to.Key) && can(*from.Elem, *to.Elem)
	case Row:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range from.Fields {
			if !can(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return from.Class == to.Class
}

// CanFail reports whether CAST(from AS to) may fail on some values, in which
// case TRY_CAST's type takes NULL.
func CanFail(from, to Type) bool {
	switch {
	case from.Kind.IsCharacter():
		return !to.Kind.IsCharacter() && !to.Kind.IsBinary()
	case to.Kind == Decimal && from.Kind.IsNumeric():
		return true
	}
	return false
}
