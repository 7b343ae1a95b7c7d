// Package function knows the built-in functions of SQL: their names, arguments
// and result types. It binds a call to a function; it computes nothing.
package function

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Class says where a function may be called.
type Class uint8

// The classes of functions.
const (
	Scalar    Class = iota
	Aggregate       // over a group, or with OVER
	Ranking         // with OVER only
	Grouping        // GROUPING and GROUPING_ID, with GROUP BY only
	Group           // TUMBLE, HOP, SESSION and their auxiliaries, with GROUP BY only
	Pattern         // in MATCH_RECOGNIZE only
)

// Def is a built-in function.
type Def struct {
	// Name is what calls carry; aliases share the Def of their name.
	Name  string
	Class Class
	// params holds a parameter's kind each, see params.go; a ? marks an optional
	// one, a * one that may be missing or repeat, a + one that may repeat.
	params string
	result func(a *Args) (types.Type, error)
	// volatile functions give another value for each row or run.
	volatile bool
	// keepSpecial says the parser wrote the arguments in the form that plan documents.
	keepSpecial bool
}

// Volatile reports whether the function may give different results for the same
// arguments, so that it must not be folded.
func (d *Def) Volatile() bool { return d.volatile }

// Args are the arguments of a call that is being bound.
type Args struct {
	Name  string
	Exprs []plan.Expr
	At    plan.Pos
}

// Type returns the type of argument i.
func (a *Args) Type(i int) types.Type { return a.Exprs[i].Type() }

// Len returns the number of arguments.
func (a *Args) Len() int { return len(a.Exprs) }

// Literal returns the value of argument i when it is a constant.
func (a *Args) Literal(i int) (any, bool) {
	if i >= len(a.Exprs) {
		return nil, false
	}
	l, ok := a.Exprs[i].(*plan.Literal)
	if !ok {
		return nil, false
	}
	return l.Value, true
}

// Nullable reports whether any argument may be NULL.
func (a *Args) Nullable() bool {
	for _, e := range a.Exprs {
		t := e.Type()
		if (t.Nullable || t.Kind == types.Null) && t.Kind != types.Symbol {
			return true
		}
	}
	return false
}

// Table is the built-in functions by name.
type Table struct {
	defs  map[string]*Def
	names []string
}

// NewTable returns the built-in functions.
func NewTable() *Table {
	t := &Table{defs: map[string]*Def{}}
	for _, group := range [][]Def{
		mathFunctions(), stringFunctions(), regexFunctions(), temporalFunctions(), conditionalFunctions(), collectionFunctions(),
		jsonFunctions(), hashFunctions(), aggregateFunctions(), windowFunctions(),
	} {
		for i := range group {
			t.add(&group[i])
		}
	}
	for alias, name := range aliases() {
		t.defs[alias] = t.defs[name]
		t.names = append(t.names, alias)
	}
	return t
}

func (t *Table) add(d *Def) {
	t.defs[d.Name] = d
	t.names = append(t.names, d.Name)
}

// Lookup returns the function called name, whatever its case.
func (t *Table) Lookup(name string) (*Def, bool) {
	d, ok := t.defs[strings.ToUpper(name)]
	return d, ok
}

// Names returns the names of all functions, aliases included, in no order.
func (t *Table) Names() []string { return t.names }

func aliases() map[string]string {
	return map[string]string{
		"CHARACTER_LENGTH": "CHAR_LENGTH", "CEILING": "CEIL", "SUBSTR": "SUBSTRING", "MOD": plan.FnMod, "POW": "POWER",
		"STDDEV": "STDDEV_SAMP", "VARIANCE": "VAR_SAMP", "NOW": "CURRENT_TIMESTAMP", "DAY": "DAYOFMONTH",
	}
}

// missing names what to use instead of functions that other systems have.
var missing = map[string]string{
	"LENGTH": "CHAR_LENGTH", "LEN": "CHAR_LENGTH", "NVL": "IFNULL or COALESCE", "ISNULL": "IS NULL or IFNULL", "TO_CHAR": "DATE_FORMAT or CAST(… AS STRING)",
	"DATE_ADD": "TIMESTAMPADD or + INTERVAL", "DATE_SUB": "- INTERVAL", "DATEDIFF": "TIMESTAMPDIFF", "DATE_TRUNC": "FLOOR(x TO unit)",
	"STRING_AGG": "LISTAGG", "GROUP_CONCAT": "LISTAGG", "STRPOS": "LOCATE or POSITION", "GETDATE": "CURRENT_TIMESTAMP", "SYSDATE": "CURRENT_TIMESTAMP",
	"SIZE": "CARDINALITY", "ARRAY_LENGTH": "CARDINALITY", "ARRAY_SIZE": "CARDINALITY", "EXPLODE": "CROSS JOIN UNNEST(…)", "GET_JSON_OBJECT": "JSON_VALUE",
	"JSON_EXTRACT": "JSON_VALUE or JSON_QUERY", "REGEXP_MATCH": "REGEXP", "RLIKE": "REGEXP", "STRFTIME": "DATE_FORMAT", "CONTAINS": "LIKE or POSITION",
	"TRUNC": "TRUNCATE", "RANDOM": "RAND", "TO_NUMBER": "CAST(… AS DECIMAL)", "SUBSTRING_INDEX": "SPLIT_INDEX", "IIF": "IF", "DECODE_URL": "URL_DECODE",
}

// Instead returns what does the work of a function that SQL here does not have.
func Instead(name string) string { return missing[strings.ToUpper(name)] }
