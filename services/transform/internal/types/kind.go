package types

// IsInteger reports whether the kind is TINYINT, SMALLINT, INT or BIGINT.
func (k Kind) IsInteger() bool { return k >= TinyInt && k <= BigInt }

// IsExact reports whether the kind is an integer or DECIMAL.
func (k Kind) IsExact() bool { return k.IsInteger() || k == Decimal }

// IsApprox reports whether the kind is FLOAT or DOUBLE.
func (k Kind) IsApprox() bool { return k == Float || k == Double }

// IsNumeric reports whether the kind is any number.
func (k Kind) IsNumeric() bool { return k >= TinyInt && k <= Decimal }

// IsCharacter reports whether the kind is CHAR or VARCHAR.
func (k Kind) IsCharacter() bool { return k == Char || k == Varchar }

// IsBinary reports whether the kind is BINARY or VARBINARY.
func (k Kind) IsBinary() bool { return k == Binary || k == Varbinary }

// IsTimestamp reports whether the kind is TIMESTAMP or TIMESTAMP_LTZ.
func (k Kind) IsTimestamp() bool { return k == Timestamp || k == TimestampLTZ }

// IsDatetime reports whether the kind is a point in time: DATE, TIME or a timestamp.
func (k Kind) IsDatetime() bool { return k >= Date && k <= TimestampLTZ }

// IsInterval reports whether the kind is a span of time.
func (k Kind) IsInterval() bool { return k == IntervalYearMonth || k == IntervalDayTime }

// IsCollection reports whether the kind is ARRAY, MULTISET or MAP.
func (k Kind) IsCollection() bool { return k == Array || k == Multiset || k == Map }

// IsNested reports whether the kind holds other types.
func (k Kind) IsNested() bool { return k.IsCollection() || k == Row }

var kindNames = [...]string{
	Invalid: "INVALID", Null: "NULL", Boolean: "BOOLEAN", TinyInt: "TINYINT", SmallInt: "SMALLINT", Int: "INT",
	BigInt: "BIGINT", Float: "FLOAT", Double: "DOUBLE", Decimal: "DECIMAL", Char: "CHAR", Varchar: "VARCHAR",
	Binary: "BINARY", Varbinary: "VARBINARY", Date: "DATE", Time: "TIME", Timestamp: "TIMESTAMP",
	TimestampLTZ: "TIMESTAMP_LTZ", IntervalYearMonth: "INTERVAL MONTH", IntervalDayTime: "INTERVAL SECOND",
	Array: "ARRAY", Multiset: "MULTISET", Map: "MAP", Row: "ROW", Raw: "RAW", Symbol: "SYMBOL", Descriptor: "DESCRIPTOR",
}

// String returns the SQL name of the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "INVALID"
}
