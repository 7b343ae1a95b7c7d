package sqlcli

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

func newCompleter(t testing.TB) *completer {
	t.Helper()
	c := &completer{session: sql.NewSession(sql.Options{}), connectors: connectors.All()}
	if _, err := c.session.Run("CREATE TABLE orders (id INT, customer STRING) WITH ('connector'='datagen'); CREATE TABLE other (x INT) WITH ('connector'='print')"); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompletions(t *testing.T) {
	t.Parallel()
	c := newCompleter(t)
	for before, want := range map[string]string{
		"sel": "select", "SEL": "SELECT", "SELECT * FROM o": "orders other", "DESCRIBE ": "orders other", "INSERT INTO oth": "other",
		"SELECT cu FROM orders WHERE cust": "customer", "SELECT orders.": "customer id", "SELECT 世界 FROM orders WHERE i": "id",
		"CREATE TABLE t (a INT) WITH (":                                                                      "",
		"CREATE TABLE t (a INT) WITH ('conn":                                                                 "connector",
		"CREATE TABLE t (a INT) WITH ('connector'='kaf":                                                      "kafka",
		"CREATE TABLE t (a INT) WITH ('connector'='kafka', 'scan.startup.m":                                  "scan.startup.mode",
		"CREATE TABLE t (a INT) WITH ('connector'='kafka', 'scan.startup.mode' = 'e":                         "earliest-offset",
		"CREATE TABLE t (a INT) WITH ('connector'='kafka', 'format' = 'json', 'json.ignore-parse-errors'='t": "true",
		"CREATE TABLE t (a INT) WITH ('connector'='kafka', 'format' = 'json', 'json.f":                       "json.fail-on-missing-field",
		"SELECT * FROM orders /*+ OPTIONS('rows-per":                                                         "rows-per-second",
		"SET 'table.local": "table.local-time-zone", "SET 'sql-client.execution.result-mode' = 'ch": "changelog", "SELECT 1; DESCRIBE oth": "other",
		"SELECT 'orde": "", `SELECT "x`: "",
	} {
		_, got, _ := c.complete(before)
		if before == "SELECT cu FROM orders WHERE cust" || strings.HasPrefix(before, "SELECT 世界") || strings.HasPrefix(strings.ToLower(before), "sel") && len(before) == 3 {
			if !slices.Contains(got, want) {
				t.Errorf("%q: %v lacks %q", before, got, want)
			}
			continue
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %q", before, got, want)
		}
	}
}

func FuzzCompletions(f *testing.F) {
	for _, s := range []string{"SELECT 'a", "CREATE TABLE t (a INT) WITH ('connector'='kafka', '", "SET ''", "`", "--", "/*", "((", "orders."} {
		f.Add(s)
	}
	c := newCompleter(f)
	f.Fuzz(func(t *testing.T, before string) {
		word, got, _ := c.complete(before)
		if !strings.HasSuffix(before, word) {
			t.Errorf("%q does not end in %q", before, word)
		}
		for _, s := range got {
			if !utf8.ValidString(s) {
				t.Errorf("%q is offered", s)
			}
		}
		sql.Complete(before)
	})
}
