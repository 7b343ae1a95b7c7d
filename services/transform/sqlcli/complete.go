package sqlcli

import (
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// keywords are those that statements are made of; others are rarely typed.
const keywords = `ADD ALTER AND AS ASC BETWEEN BIGINT BOOLEAN BY BYTES CASE CAST CATALOG CATALOGS CHANGELOG_MODE COLUMNS CREATE CROSS CURRENT_DATE
CURRENT_TIMESTAMP CURRENT_WATERMARK DATABASE DATABASES DATE DECIMAL DESC DESCRIBE DESCRIPTOR DISTINCT DOUBLE DROP ELSE END EXCEPT EXECUTE EXISTS EXPLAIN FALSE FILTER
FLOAT FOR FROM FULL FUNCTION FUNCTIONS GROUP GROUPING HAVING HOP IF IN INNER INSERT INT INTERSECT INTERVAL INTO IS JOIN JSON_EXECUTION_PLAN KEY LATERAL LEFT LIKE LIMIT
MATCH_RECOGNIZE METADATA NOT NULL OFFSET ON OR ORDER OUTER OVER PARTITION PLAN_ADVICE PRIMARY RANGE REPLACE RESET RIGHT ROW ROWS SELECT SESSION SET SHOW STATEMENT
STRING SYSTEM_TIME TABLE TABLES TEMPORARY THEN TIME TIMESTAMP TIMESTAMP_LTZ TRUE TUMBLE CUMULATE UNION UNNEST USE USING VALUES VARCHAR VIEW VIEWS WATERMARK WHEN WHERE WINDOW WITH`

// completer says what a text that is being typed may go on with.
type completer struct {
	session    *sql.Session
	connectors connector.Registry
}

// complete returns the word that is being typed and what it may become. quoted says
// that it stands within a literal.
func (c *completer) complete(before string) (word string, candidates []string, quoted bool) {
	head, word, quote := split(before)
	toks, err := sql.Scan(head)
	if err != nil {
		if toks, err = sql.Scan(head + "*/"); err != nil { // within a hint
			return word, nil, quote == '\''
		}
	}
	toks = statementOf(toks)
	var all []string
	switch {
	case quote == '\'':
		all = c.literals(toks)
	case afterTable(toks):
		all = c.session.Tables()
		if last(toks, 0).Is("TABLE") || last(toks, 0).Is("FROM") {
			all = append(all, "TABLE")
		}
	default:
		all = c.words(toks, word)
	}
	return word, matching(all, word), quote == '\''
}

// split parts a text into what is whole and the word, or the beginning of a literal
// or quoted name, that is being typed.
func split(before string) (head, word string, quote rune) {
	start := 0
	for i, r := range before {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '`'):
			quote, start = r, i
		}
	}
	if quote != 0 {
		return before[:start], before[start+1:], quote
	}
	at := strings.LastIndexFunc(before, func(r rune) bool {
		return r != '_' && r != '$' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r < 0x80
	})
	return before[:at+1], before[at+1:], 0
}

// statementOf returns the tokens of the last statement, without the end.
func statementOf(toks []token.Token) []token.Token {
	toks = slices.DeleteFunc(toks, func(t token.Token) bool { return t.Kind == token.EOF })
	for i, t := range slices.Backward(toks) {
		if t.Is(";") {
			return toks[i+1:]
		}
	}
	return toks
}

// last returns the token n from the end.
func last(toks []token.Token, n int) token.Token {
	if n < 0 || n >= len(toks) {
		return token.Token{}
	}
	return toks[len(toks)-1-n]
}

// afterTable reports whether the name of a table comes next.
func afterTable(toks []token.Token) bool {
	t := last(toks, 0)
	for _, w := range []string{"FROM", "JOIN", "INTO", "DESCRIBE", "DESC"} {
		if t.Is(w) && (w != "DESC" || len(toks) == 1) {
			return true
		}
	}
	if t.Is("TABLE") || t.Is("VIEW") {
		first := last(toks, len(toks)-1)
		return !first.Is("CREATE") || last(toks, 1).Is("(")
	}
	return false
}

// literals are what may stand in quotes: settings, options and their values.
func (c *completer) literals(toks []token.Token) []string {
	first := last(toks, len(toks)-1)
	if first.Is("SET") || first.Is("RESET") {
		if last(toks, 0).Is("=") {
			return settingValues(last(toks, 1).Text)
		}
		return sql.Settings()
	}
	values, ok := options(toks)
	if !ok {
		return nil
	}
	if len(toks) > 0 && values["connector"]+values["connector.type"] == "" {
		maps.Copy(values, c.tableOptions(toks)) // OPTIONS of a table that is there
	}
	modern, err := connector.Modernize(values)
	if err != nil {
		modern = values
	}
	var declared []connector.Option
	if f, known := c.connectors[modern["connector"]]; known {
		declared = f.Options(modern)
	}
	if last(toks, 0).Is("=") {
		return c.values(last(toks, 1).Text, declared)
	}
	keys := []string{"connector"}
	for _, d := range declared {
		keys = append(keys, d.Key)
	}
	slices.Sort(keys)
	return slices.DeleteFunc(slices.Compact(keys), func(k string) bool { return values[k] != "" })
}

// tableOptions are those of the last table that a statement names.
func (c *completer) tableOptions(toks []token.Token) map[string]string {
	for _, t := range slices.Backward(toks) {
		if t.Kind != token.Word && t.Kind != token.Quoted {
			continue
		}
		id, err := c.session.Catalog().Resolve([]string{t.Text})
		if err != nil {
			continue
		}
		if r, ok := c.session.Catalog().Lookup(id); ok && r.Table != nil {
			return r.Table.Options
		}
	}
	return nil
}

// values are those that an option may have.
func (c *completer) values(key string, declared []connector.Option) []string {
	if key == "connector" {
		return slices.Sorted(maps.Keys(c.connectors))
	}
	if key == "format" || strings.HasSuffix(key, ".format") {
		return []string{"csv", "json", "raw"}
	}
	for _, d := range declared {
		switch {
		case d.Key != key:
		case d.Kind == connector.Bool:
			return []string{"false", "true"}
		default:
			return d.Values
		}
	}
	return nil
}

func settingValues(key string) []string {
	switch {
	case key == "sql-client.execution.result-mode":
		return []string{"changelog", "tableau"}
	case strings.HasSuffix(key, ".enabled"):
		return []string{"false", "true"}
	}
	return nil
}

// options returns the options so far of the WITH that the end of a text stands in.
func options(toks []token.Token) (map[string]string, bool) {
	depth := 0
	for i, t := range slices.Backward(toks) {
		switch {
		case t.Kind == token.HintEnd:
		case t.Is(")"):
			depth++
		case t.Is("(") && depth > 0:
			depth--
		case t.Is("("):
			if i == 0 || !toks[i-1].Is("WITH") && !toks[i-1].Is("OPTIONS") && !toks[i-1].Is("SET") {
				return nil, false
			}
			out := make(map[string]string)
			for k := i + 1; k+2 < len(toks); k++ {
				if toks[k].Kind == token.String && toks[k+1].Is("=") && toks[k+2].Kind == token.String {
					out[toks[k].Text] = toks[k+2].Text
				}
			}
			return out, true
		}
	}
	return nil, false
}

// words are keywords, functions and the columns of the tables that the statement names.
func (c *completer) words(toks []token.Token, word string) []string {
	tables := c.session.Tables()
	var all []string
	for _, t := range toks {
		if (t.Kind == token.Word || t.Kind == token.Quoted) && slices.Contains(tables, t.Text) {
			all = append(all, c.session.Columns(t.Text)...)
		}
	}
	if len(all) == 0 && word != "" { // FROM may come yet
		for _, t := range tables {
			all = append(all, c.session.Columns(t)...)
		}
	}
	if last(toks, 0).Is(".") || word == "" && len(toks) > 0 {
		return all // all that there are would be no help
	}
	all = append(all, tables...)
	if len(toks) == 0 {
		all = append(all, "HELP", "QUIT", "CLEAR", "HISTORY")
	}
	if len(toks) > 0 && word != "" {
		all = append(all, c.session.Functions()...)
	}
	lower := word != "" && word == strings.ToLower(word)
	for k := range strings.FieldsSeq(keywords) {
		if lower {
			k = strings.ToLower(k)
		}
		all = append(all, k)
	}
	return all
}

// matching returns what begins with a word, whatever the case, sorted.
func matching(all []string, word string) []string {
	var out []string
	for _, s := range all {
		if len(s) >= len(word) && strings.EqualFold(s[:len(word)], word) && s != word {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
