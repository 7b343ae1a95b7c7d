package sql_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

func TestComplete(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": true, "  ": true, ";": true, "SELECT 1": false, "SELECT 1;": true, "SELECT 1; ": true, "SELECT 1; -- done": true,
		"SELECT 'a;": false, "SELECT 'a;'": false, "SELECT 'a;';": true, "SELECT `a;": false, "SELECT 1 /* ;": false, "SELECT 1 -- ;": false,
		"SELECT \"x\" FROM t": true, "SELECT 1; SELECT 2": false,
		"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;":      false,
		"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END;": true,
		"BEGIN STATEMENT SET;":                                          false,
		"BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END;":             true,
		"SET 'a' = 'b';":                                                true,
		"CREATE TABLE t (a INT) WITH ('connector' = 'print', 'x' = ';)": false,
	} {
		if got := sql.Complete(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}
