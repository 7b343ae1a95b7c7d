package json

// Options are the json.* options of a table.
type Options struct {
	IgnoreParseErrors  bool
	FailOnMissingField bool
	// TimestampStandard is SQL, ISO-8601 or ISO-8601-WITH-OFFSET.
	TimestampStandard string
	// MapNullKeyMode is FAIL, DROP or LITERAL.
	MapNullKeyMode    string
	MapNullKeyLiteral string
	// PlainDecimals writes decimals without an exponent.
	PlainDecimals bool
	// OmitNulls leaves NULL fields out.
	OmitNulls bool
	// Legacy renders as the format of Flink 1.10 did: RFC 3339 times.
	Legacy bool
}

// The timestamp standards.
const (
	SQL            = "SQL"
	ISO8601        = "ISO-8601"
	ISO8601Offset  = "ISO-8601-WITH-OFFSET"
	mapNullDrop    = "DROP"
	mapNullLiteral = "LITERAL"
)
