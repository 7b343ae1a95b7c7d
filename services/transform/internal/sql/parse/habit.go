package parse

import (
	"regexp"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// A statement that cannot be read is often right in another dialect, or has a slip
// of the pen. The hints here say how the same is written in Flink's.

// habit returns a hint for what stands where something else was expected; empty
// when nothing is known about it.
func (p *parser) habit(expected string) string {
	t := p.tok()
	var prev token.Token
	if p.i > 0 {
		prev = p.toks[p.i-1]
	}
	switch {
	case strings.HasPrefix(expected, "a data type"):
		return typeHabit(t.Upper)
	case strings.Contains(expected, "INTERVAL"):
		return intervalHabit(t, p.ahead(1))
	case strings.HasPrefix(expected, "a unit") && prev.Kind == token.String:
		return unitHabit(prev.Text)
	case t.Is("FROM") && prev.Is(","):
		return "there is a comma too many before FROM"
	case t.Is("=") && prev.Is("="):
		return "equality is written with one ="
	case t.Is("["):
		return "write names between backquotes, such as `name`; an array is ARRAY[…]"
	}
	if h := p.operatorHabit(t, prev); h != "" {
		return h
	}
	if h := p.orderHabit(t, prev); h != "" {
		return h
	}
	return p.slip(t, prev, expected)
}

// operatorHabit knows operators of other dialects.
func (p *parser) operatorHabit(t, prev token.Token) string {
	switch {
	case t.Is(":") && p.ahead(1).Is(":"):
		return "write CAST(x AS TYPE) instead of x::TYPE"
	case t.Is("->"), t.Is("->>"):
		return "a field of a ROW is written x.a, a value in JSON text JSON_VALUE(x, '$.a')"
	case t.Is("ILIKE"):
		return "write UPPER(x) LIKE UPPER('…')"
	case t.Is("REGEXP"), t.Is("RLIKE"), t.Is("~"):
		return "write REGEXP(x, 'pattern')"
	case prev.Upper == "TOP" && t.Kind == token.Integer:
		return "write LIMIT " + t.Text + " at the end of the query instead of TOP " + t.Text
	case t.Is("(") && slices.Contains([]string{"INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT"}, prev.Upper):
		return prev.Upper + " takes no length"
	case slices.Contains([]string{"AUTO_INCREMENT", "IDENTITY", "UNIQUE", "DEFAULT", "REFERENCES", "CHECK", "ENGINE", "CHARSET"}, t.Upper):
		return t.Upper + " is not part of this dialect: a table only describes what lies outside, in WITH ('connector' = '…', …)"
	}
	return ""
}

// orderHabit knows clauses that stand in the wrong place.
func (p *parser) orderHabit(t, prev token.Token) string {
	switch {
	case t.Is("FROM") && p.before("LIMIT"):
		return "LIMIT stands at the end: SELECT … FROM … LIMIT 10"
	case t.Is("WHERE") && (p.before("GROUP") || p.before("HAVING")):
		return "WHERE stands before GROUP BY; a condition on an aggregate stands in HAVING behind it"
	case t.Is("WHERE") && (p.before("ORDER") || p.before("LIMIT")):
		return "WHERE stands before ORDER BY and LIMIT"
	case t.Is("GROUP") && (p.before("ORDER") || p.before("LIMIT")):
		return "GROUP BY stands before ORDER BY and LIMIT"
	case (t.Is("JOIN") || t.Is("LEFT") || t.Is("INNER")) && p.before("WHERE"):
		return "joins stand before WHERE"
	case prev.Kind == token.Word && (prev.Upper == "SELECT") && t.Is("FROM"):
		return "name the columns, or write SELECT *"
	}
	return ""
}

// before reports whether a keyword stands before this place in the same query.
func (p *parser) before(word string) bool {
	depth := 0
	for i := p.i - 1; i >= 0; i-- {
		t := p.toks[i]
		switch {
		case t.Is(";"), t.Is("(") && depth == 0:
			return false
		case t.Is(")"):
			depth++
		case t.Is("("):
			depth--
		case depth == 0 && t.Is(word):
			return true
		case depth == 0 && t.Is("SELECT"):
			return false
		}
	}
	return false
}

// clauses are the words that may be meant where a query goes on.
var clauses = []string{"FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "UNION", "VALUES", "SELECT"}

// slip finds a keyword that a word is a misspelling of, or a comma that is missing.
func (p *parser) slip(t, prev token.Token, expected string) string {
	if t.Kind != token.Word {
		return ""
	}
	words := quotedWords(expected)
	if strings.Contains(expected, "end of the text") {
		words = append(words, clauses...)
	}
	slips := 1
	if len(t.Text) > 3 {
		slips = 2 // two letters that changed places
	}
	if near := diag.Within(t.Text, words, slips); near != "" && near != t.Upper && len(t.Text) > 2 {
		return "did you mean " + near + "?"
	}
	if (prev.Kind == token.Word || prev.Kind == token.Quoted) && p.isName(t) && !p.before("FROM") && p.begun("SELECT") {
		return "is a comma missing before it?"
	}
	return ""
}

// begun reports whether a statement began with a word.
func (p *parser) begun(word string) bool {
	for i := p.i - 1; i >= 0 && !p.toks[i].Is(";"); i-- {
		if p.toks[i].Is(word) {
			return true
		}
	}
	return false
}

// quotedWords are the words in quotes of what was expected.
func quotedWords(expected string) []string {
	var out []string
	for i, part := range strings.Split(expected, `"`) {
		if i%2 == 1 && part != "" && part[0] >= 'A' && part[0] <= 'Z' {
			out = append(out, part)
		}
	}
	return out
}

// typeHabit names the type that another dialect calls by another name.
func typeHabit(name string) string {
	switch name {
	case "TEXT", "LONGTEXT", "MEDIUMTEXT", "CLOB", "NVARCHAR", "VARCHAR2", "UUID", "JSON", "JSONB", "KEYWORD":
		return "use STRING"
	case "SERIAL", "BIGSERIAL", "LONG", "INT8", "INT64", "UINT64", "UNSIGNED":
		return "use BIGINT"
	case "INT4", "INT32", "UINT32", "MEDIUMINT":
		return "use INT"
	case "DATETIME", "DATETIME2":
		return "use TIMESTAMP(3)"
	case "TIMESTAMPTZ":
		return "use TIMESTAMP_LTZ(3)"
	case "BOOL":
		return "use BOOLEAN"
	case "NUMBER", "MONEY":
		return "use DECIMAL(p, s)"
	case "BLOB", "BYTEA", "IMAGE":
		return "use BYTES"
	case "FLOAT4", "REAL4":
		return "use FLOAT"
	case "FLOAT8", "FLOAT64":
		return "use DOUBLE"
	case "STRUCT":
		return "use ROW<…>"
	case "":
		return ""
	}
	known := []string{"STRING", "VARCHAR", "CHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME",
		"TIMESTAMP", "TIMESTAMP_LTZ", "BYTES", "BINARY", "VARBINARY", "ARRAY", "MAP", "MULTISET", "ROW"}
	if near := diag.Within(name, known, max(1, len(name)/3)); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

func intervalHabit(t, next token.Token) string {
	if t.Kind != token.Integer || next.Kind != token.Word {
		return ""
	}
	return "write INTERVAL '" + t.Text + "' " + strings.TrimSuffix(next.Upper, "S")
}

// unitHabit knows intervals whose unit stands in the literal.
func unitHabit(text string) string {
	m := regexp.MustCompile(`^\s*(\d+)\s*([A-Za-z]+)\s*$`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return "write INTERVAL '" + m[1] + "' " + strings.TrimSuffix(strings.ToUpper(m[2]), "S")
}
