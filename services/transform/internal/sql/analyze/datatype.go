package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// simpleTypes are the types without parameters by the names they go by.
var simpleTypes = map[string]types.Kind{
	"BOOLEAN": types.Boolean, "BOOL": types.Boolean, "TINYINT": types.TinyInt, "SMALLINT": types.SmallInt, "INT": types.Int, "INTEGER": types.Int,
	"BIGINT": types.BigInt, "FLOAT": types.Float, "REAL": types.Float, "DOUBLE": types.Double, "DATE": types.Date, "STRING": types.Varchar,
	"BYTES": types.Varbinary, "NULL": types.Null,
}

// DataType returns the type that was written.
func DataType(t *ast.Type) (types.Type, error) {
	out, err := rootType(t)
	if err != nil {
		return out, err
	}
	out.Nullable = t.Nullable == nil || *t.Nullable
	return out, nil
}

func rootType(t *ast.Type) (types.Type, error) {
	if len(t.Path) > 0 {
		return types.Type{}, diag.At(t.Pos(), "type %q is not known", t.Path.String())
	}
	if k, ok := simpleTypes[t.Name]; ok {
		return types.Of(k), nil
	}
	switch t.Name {
	case "CHAR", "BINARY":
		k := map[string]types.Kind{"CHAR": types.Char, "BINARY": types.Binary}[t.Name]
		return sized(t, k, 1)
	case "VARCHAR", "VARBINARY":
		k := map[string]types.Kind{"VARCHAR": types.Varchar, "VARBINARY": types.Varbinary}[t.Name]
		return sized(t, k, types.MaxLength)
	case "DECIMAL", "DEC", "NUMERIC":
		return decimalType(t)
	case "TIME":
		return fractional(t, types.Time, 0)
	case "TIMESTAMP":
		return fractional(t, types.Timestamp, types.DefaultTimestampPrecision)
	case "TIMESTAMP_LTZ":
		return fractional(t, types.TimestampLTZ, types.DefaultTimestampPrecision)
	case "INTERVAL":
		if u := t.Interval.From; u == "YEAR" || u == "MONTH" || u == "QUARTER" {
			return types.Of(types.IntervalYearMonth), nil
		}
		return types.Of(types.IntervalDayTime), nil
	case "RAW":
		return types.Type{Kind: types.Raw, Class: t.Class}, nil
	}
	return nestedType(t)
}

func nestedType(t *ast.Type) (types.Type, error) {
	switch t.Name {
	case "ARRAY", "MULTISET":
		e, err := DataType(t.Elem)
		if t.Name == "ARRAY" {
			return types.ArrayOf(e), err
		}
		return types.MultisetOf(e), err
	case "MAP":
		k, err := DataType(t.Key)
		if err != nil {
			return k, err
		}
		v, err := DataType(t.Elem)
		return types.MapOf(k, v), err
	case "ROW":
		seen := map[string]bool{}
		fields := make([]types.Field, len(t.Fields))
		for i, f := range t.Fields {
			ft, err := DataType(f.Type)
			if err != nil {
				return ft, err
			}
			if seen[f.Name.Text] {
				return ft, diag.At(f.Name.Pos(), "field %q is twice in the row", f.Name.Text)
			}
			seen[f.Name.Text] = true
			fields[i] = types.Field{Name: f.Name.Text, Type: ft, Comment: f.Comment}
		}
		return types.RowOf(fields...), nil
	}
	return types.Type{}, diag.At(t.Pos(), "type %s is not supported", t.Name)
}

func sized(t *ast.Type, k types.Kind, length int) (types.Type, error) {
	if len(t.Params) > 0 {
		length = t.Params[0]
	}
	if len(t.Params) > 1 || length < 1 {
		return types.Type{}, diag.At(t.Pos(), "the length of %s must be between 1 and %d", t.Name, types.MaxLength)
	}
	return types.Type{Kind: k, Length: length}, nil
}

func decimalType(t *ast.Type) (types.Type, error) {
	p, s := types.DefaultDecimalPrecision, 0
	if len(t.Params) > 0 {
		p = t.Params[0]
	}
	if len(t.Params) > 1 {
		s = t.Params[1]
	}
	if p < 1 || p > types.MaxDecimalPrecision || len(t.Params) > 2 {
		return types.Type{}, diag.At(t.Pos(), "the precision of DECIMAL must be between 1 and %d", types.MaxDecimalPrecision)
	}
	if s > p {
		return types.Type{}, diag.At(t.Pos(), "the scale of DECIMAL must be between 0 and its precision %d", p)
	}
	return types.DecimalType(p, s), nil
}

func fractional(t *ast.Type, k types.Kind, precision int) (types.Type, error) {
	if len(t.Params) > 0 {
		precision = t.Params[0]
	}
	if precision > types.MaxTimestampPrecision || len(t.Params) > 1 {
		return types.Type{}, diag.At(t.Pos(), "the precision of %s must be between 0 and %d", t.Name, types.MaxTimestampPrecision)
	}
	return types.Type{Kind: k, Precision: precision}, nil
}
