// Package format chooses among the formats of records: how bytes become columns
// and rows become bytes.
package format

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/platform/suggest"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format/csv"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/format/raw"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Decoder turns records into columns, a batch at a time.
type Decoder interface {
	// Begin starts a batch of about n records; the last batch's columns are used again.
	Begin(n int)
	// Decode adds the rows of a record and returns how many they are.
	Decode(data []byte) (int, error)
	// Finish returns the columns and, for each row, the number of its record.
	Finish() ([]*column.Vector, []int32)
}

// Encoder renders rows.
type Encoder interface {
	// Begin tells that the rows to come are of another batch.
	Begin()
	AppendRow(dst []byte, cols []*column.Vector, i int) ([]byte, error)
}

// Names are the formats that there are.
func Names() []string { return []string{"csv", "json", "raw"} }

// Splitter is a decoder whose records may hold line ends.
type Splitter interface {
	// RecordEnd returns where the line feed is that ends the first record of data,
	// -1 when it is not there yet.
	RecordEnd(data []byte) int
}

// Options returns what a format takes as options, its keys behind a prefix.
func Options(name, prefix string) []connector.Option {
	switch name {
	case "json":
		p := prefix + "json."
		return []connector.Option{
			{Key: p + "ignore-parse-errors", Kind: connector.Bool, Default: "false"},
			{Key: p + "fail-on-missing-field", Kind: connector.Bool, Default: "false"},
			{Key: p + "timestamp-format.standard", Kind: connector.Enum, Default: json.SQL, Values: []string{json.SQL, json.ISO8601, json.ISO8601Offset}},
			{Key: p + "map-null-key.mode", Kind: connector.Enum, Default: "FAIL", Values: []string{"FAIL", "DROP", "LITERAL"}},
			{Key: p + "map-null-key.literal", Default: "null"},
			{Key: p + "encode.decimal-as-plain-number", Kind: connector.Bool, Default: "false"},
			{Key: p + "encode.ignore-null-fields", Kind: connector.Bool, Default: "false"},
			{Key: p + "decode.json-parser.enabled", Kind: connector.Bool, Default: "true"},
			{Key: "decode.json-parser.enabled", Kind: connector.Bool, Default: "true"},
		}
	case "csv":
		p := prefix + "csv."
		return []connector.Option{
			{Key: p + "field-delimiter", Default: ","}, {Key: p + "array-element-delimiter", Default: ";"},
			{Key: p + "disable-quote-character", Kind: connector.Bool, Default: "false"}, {Key: p + "quote-character", Default: `"`},
			{Key: p + "escape-character"}, {Key: p + "null-literal"},
			{Key: p + "allow-comments", Kind: connector.Bool, Default: "false"},
			{Key: p + "ignore-parse-errors", Kind: connector.Bool, Default: "false"},
			{Key: p + "write-bigdecimal-in-scientific-notation", Kind: connector.Bool, Default: "true"},
		}
	case "raw":
		return []connector.Option{
			{Key: prefix + "raw.charset", Kind: connector.Enum, Default: "UTF-8", Values: []string{"UTF-8"}},
			{Key: prefix + "raw.endianness", Kind: connector.Enum, Default: "big-endian", Values: []string{"big-endian", "little-endian"}},
		}
	default:
		return nil
	}
}

// Check says what is wrong with a format's name.
func Check(o *connector.Options, key string) error {
	name := o.Text(key)
	if name == "" {
		return o.Wrong(key, "is required: one of "+strings.Join(Names(), ", "))
	}
	if !slices.Contains(Names(), name) {
		return o.Wrong(key, fmt.Sprintf("format %q is not known%s", name, suggest.Hint(name, Names())))
	}
	p := strings.TrimSuffix(key, "format")
	if name == "csv" {
		_, err := csvOptions(o, p)
		return err
	}
	if name == "json" && o.Bool(p+"json.ignore-parse-errors") && o.Bool(p+"json.fail-on-missing-field") {
		return o.Wrong(p+"json.fail-on-missing-field", "cannot be true together with ignore-parse-errors")
	}
	return nil
}

func jsonOptions(o *connector.Options, prefix string) json.Options {
	p := prefix + "json."
	return json.Options{
		IgnoreParseErrors: o.Bool(p + "ignore-parse-errors"), FailOnMissingField: o.Bool(p + "fail-on-missing-field"),
		TimestampStandard: o.Enum(p + "timestamp-format.standard"),
		MapNullKeyMode:    o.Enum(p + "map-null-key.mode"), MapNullKeyLiteral: o.Text(p + "map-null-key.literal"),
		PlainDecimals: o.Bool(p + "encode.decimal-as-plain-number"), OmitNulls: o.Bool(p + "encode.ignore-null-fields"),
		Legacy: o.Legacy(),
	}
}

// csvOptions reads the csv.* options behind a prefix and says what does not fit.
func csvOptions(o *connector.Options, prefix string) (csv.Options, error) {
	p := prefix + "csv."
	opt := csv.Options{
		ArrayDelimiter: o.Text(p + "array-element-delimiter"), Quote: o.Text(p + "quote-character"), Escape: o.Text(p + "escape-character"),
		AllowComments: o.Bool(p + "allow-comments"), IgnoreParseErrors: o.Bool(p + "ignore-parse-errors"),
		NullLiteral: o.Text(p + "null-literal"), HasNull: o.Has(p + "null-literal"),
		PlainDecimals: !o.Bool(p + "write-bigdecimal-in-scientific-notation"),
	}
	var err error
	if opt.FieldDelimiter, err = csv.Unescape(o.Text(p + "field-delimiter")); err != nil {
		return opt, o.Wrong(p+"field-delimiter", err.Error())
	}
	if o.Bool(p + "disable-quote-character") {
		if o.Has(p + "quote-character") {
			return opt, o.Wrong(p+"quote-character", "cannot be given together with '"+p+"disable-quote-character' = 'true'")
		}
		opt.Quote = ""
	}
	if bad, ok := errors.AsType[*csv.OptionError](opt.Validate()); ok {
		return opt, o.Wrong(p+bad.Key, bad.Reason)
	}
	return opt, nil
}

// NewDecoder returns a decoder of the columns that are read; prefix is "", "key." or
// "value.". The fields are all those that a record has.
func NewDecoder(o *connector.Options, name, prefix string, columns []json.Column, fields []types.Field) (Decoder, error) {
	switch name {
	case "csv":
		opt, err := csvOptions(o, prefix)
		if err != nil {
			return nil, err
		}
		read := make([]string, 0, len(columns))
		for _, c := range columns {
			read = append(read, c.Name)
		}
		return csv.NewDecoder(fields, read, opt)
	case "json":
		return json.NewDecoder(columns, jsonOptions(o, prefix)), nil
	case "raw":
		return raw.NewDecoder(columns, o.Enum(prefix+"raw.endianness") == "little-endian")
	default:
		return nil, o.Wrong(prefix+"format", fmt.Sprintf("format %q is not known", name))
	}
}

// NewEncoder returns an encoder of rows.
func NewEncoder(o *connector.Options, name, prefix string, fields []types.Field) (Encoder, error) {
	switch name {
	case "csv":
		opt, err := csvOptions(o, prefix)
		if err != nil {
			return nil, err
		}
		return csv.NewEncoder(fields, opt)
	case "json":
		return json.NewEncoder(fields, jsonOptions(o, prefix)), nil
	case "raw":
		return raw.NewEncoder(fields, o.Enum(prefix+"raw.endianness") == "little-endian")
	default:
		return nil, o.Wrong(prefix+"format", fmt.Sprintf("format %q is not known", name))
	}
}

// Columns returns the physical columns that a scan reads.
func Columns(scan *plan.Scan) []json.Column {
	var cols []json.Column
	for _, c := range scan.Columns {
		if c.Metadata == "" {
			cols = append(cols, json.Column{Name: c.Name, Type: c.Type, Paths: c.Paths})
		}
	}
	return cols
}
