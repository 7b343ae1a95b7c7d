package sql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
)

// tables are what the tests select from.
const tables = `
CREATE TABLE t (
  id INT NOT NULL, s STRING, i INT, l BIGINT, d DOUBLE, dec1 DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3), dt DATE,
  arr ARRAY<STRING>, m MAP<STRING, INT>, r ROW<a INT, n ROW<x STRING, y STRING>>, pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'x');
CREATE TABLE plain (id INT, name STRING, seen TIMESTAMP(3)) WITH ('connector' = 'kafka');
CREATE TABLE sink (id INT NOT NULL, name STRING) WITH ('connector' = 'print');
CREATE TABLE keyed (name STRING, c BIGINT, PRIMARY KEY (name) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
CREATE TABLE appender (name STRING, c BIGINT) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE VIEW v AS SELECT id, r.n.x AS x FROM t WHERE i > 0;
`

func session(t *testing.T) *sql.Session {
	t.Helper()
	s := sql.NewSession(sql.Options{})
	if _, err := s.Run(tables); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFaults shows how mistakes are reported: the place, the message, the hint.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, want string }{
		{"unknown column", "SELECT\n  idd FROM t", `line 2, column 3: column "idd" not found in any table; did you mean "id"?`},
		{"case", "SELECT ID FROM t", `line 1, column 8: column "ID" not found in any table; names are case-sensitive: did you mean "id"?`},
		{"unknown table", "SELECT 1 FROM tt", `line 1, column 15: table or view "tt" not found; did you mean "t"?`},
		{"unknown field", "SELECT r.n.z FROM t", `line 1, column 12: r.n has no field "z"; did you mean "x"?`},
		{"field of array", "SELECT arr.x FROM t", `arr has no field "x": it is ARRAY<STRING>, not a ROW; take an element first`},
		{"unknown qualifier", "SELECT q.id FROM t", `table or column "q" not found`},
		{"column of alias", "SELECT a.idd FROM t AS a", `column 10: column "idd" not found in table "a"; did you mean "id"?`},
		{"unknown function", "SELECT UPER(s) FROM t", "no match found for function signature UPER(<CHARACTER>); did you mean UPPER?"},
		{"other dialect", "SELECT LENGTH(s) FROM t", "use CHAR_LENGTH"},
		{"arity", "SELECT UPPER(s, s) FROM t", "line 1, column 8: UPPER takes 1 argument, found 2"},
		{"argument type", "SELECT ARRAY_REVERSE(s) FROM t", "line 1, column 22: argument 1 of ARRAY_REVERSE must be an array, found STRING"},
		{"plus", "SELECT s + s FROM t", "use || or CONCAT to join strings"},
		{"compare", "SELECT arr = 1 FROM t", `cannot apply "=" to ARRAY<STRING> and INT`},
		{"where type", "SELECT 1 FROM t WHERE id", "line 1, column 23: WHERE needs a BOOLEAN condition, found INT"},
		{"aggregate in where", "SELECT 1 FROM t WHERE COUNT(*) > 1", "aggregate function COUNT is not allowed in WHERE; use HAVING"},
		{"nested aggregate", "SELECT SUM(COUNT(*)) FROM t", "aggregate functions cannot be nested"},
		{"not grouped", "SELECT s, COUNT(*) FROM t", "expression 's' is not being grouped; add it to GROUP BY"},
		{"group by alias", "SELECT UPPER(s) AS u, COUNT(*) FROM t GROUP BY u", "an alias of SELECT cannot be used in GROUP BY"},
		{"over in where", "SELECT 1 FROM t WHERE ROW_NUMBER() OVER (ORDER BY ts) = 1", "put it in a subquery"},
		{"over order", "SELECT SUM(i) OVER (PARTITION BY s ORDER BY i) FROM t", "must be ordered by a time attribute"},
		{"no over", "SELECT ROW_NUMBER() FROM t", "ROW_NUMBER needs an OVER clause"},
		{"window", "SELECT SUM(i) OVER w FROM t WINDOW x AS (ORDER BY ts)", `window "w" is not defined`},
		{"tumble column", "SELECT * FROM TABLE(TUMBLE(TABLE plain, DESCRIPTOR(seen), INTERVAL '1' DAY))", "declare WATERMARK FOR `seen`"},
		{"tumble size", "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts)))", "TUMBLE lacks its argument SIZE"},
		{"cumulate", "SELECT * FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '2' MINUTE, INTERVAL '3' MINUTE))", "must be a multiple of STEP"},
		{"legacy window", "SELECT TUMBLE_START(ts, INTERVAL '1' DAY) FROM t", "TUMBLE_START needs GROUP BY with its window"},
		{"union", "SELECT id FROM t UNION ALL SELECT arr FROM t", "column 1 (id) of UNION ALL has the types INT and ARRAY<STRING>"},
		{"order", "SELECT id FROM t ORDER BY id", "ORDER BY without LIMIT over an unbounded input must start with a time attribute"},
		{"cast", "SELECT CAST(arr AS INT) FROM t", "cannot cast ARRAY<STRING> to INT"},
		{"array index", "SELECT arr[0] FROM t", "the index of an array starts at 1, found 0"},
		{"date", "SELECT DATE '2021-13-45'", "line 1, column 8: illegal DATE literal '2021-13-45'"},
		{"interval", "SELECT INTERVAL 'x' DAY", "illegal INTERVAL literal 'x' for DAY"},
		{"insert count", "INSERT INTO sink SELECT id FROM t", `line 1, column 18: the query has 1 columns, but table "sink" takes 2`},
		{"insert type", "INSERT INTO sink SELECT id, i FROM t", `is INT, but column "name" of table "sink" is STRING; write CAST(` + "`i`" + ` AS STRING)`},
		{"insert column", "INSERT INTO sink (idd) SELECT id FROM t", `did you mean "id"?`},
		{"insert not null", "INSERT INTO sink (name) SELECT s FROM t", `column "id" is NOT NULL and must be named`},
		{"insert view", "INSERT INTO v SELECT 1, 'x'", "is a view"},
		{"updates into kafka", "INSERT INTO appender SELECT s, COUNT(*) FROM t GROUP BY s", "cannot take updates"},
		{"duplicate", "CREATE TABLE t (a INT) WITH ('connector' = 'x')", "already exists"},
		{"column twice", "CREATE TABLE q (a INT, a INT) WITH ('connector' = 'x')", `column "a" is defined twice`},
		{"enforced", "CREATE TABLE q (a INT, PRIMARY KEY (a)) WITH ('connector' = 'x')", "NOT ENFORCED"},
		{"key column", "CREATE TABLE q (abc INT, PRIMARY KEY (abd) NOT ENFORCED) WITH ('connector' = 'x')", `did you mean "abc"?`},
		{"watermark type", "CREATE TABLE q (a STRING, WATERMARK FOR a AS a) WITH ('connector' = 'x')", "TO_TIMESTAMP"},
		{"option twice", "CREATE TABLE q (a INT) WITH ('connector' = 'x', 'connector' = 'y')", "option 'connector' is given twice"},
		{"decimal", "SELECT CAST(1 AS DECIMAL(99, 1))", "the precision of DECIMAL must be between 1 and 38"},
		{"drop", "DROP TABLE nosuch", "does not exist"},
		{"drop temporary", "CREATE TEMPORARY TABLE z (a INT) WITH ('connector' = 'x'); DROP TABLE z", "write DROP TEMPORARY"},
		{"self view", "SELECT * FROM (SELECT 1) AS x, (SELECT 2) AS x", `"x" is used twice in FROM`},
		{"delete", "DELETE FROM t WHERE id = 1", "DELETE is not supported"},
		{"subquery columns", "SELECT id FROM t WHERE id IN (SELECT id, s FROM t)", "IN compares 1 columns with a query of 2"},
		{"pattern order", "SELECT * FROM plain MATCH_RECOGNIZE (ORDER BY id MEASURES A.id AS x PATTERN (A) DEFINE A AS TRUE)", "needs ORDER BY a time attribute"},
		{"pattern column", "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.idd AS x PATTERN (A) DEFINE A AS TRUE)", `did you mean "id"?`},
		{"correlated", "SELECT (SELECT p.id FROM plain p WHERE p.id = t.id LIMIT 1) FROM t", "compare it with = in the subquery's own WHERE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := session(t).Run(tt.src)
			var e *sql.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an error with a place", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
			if e.Line < 1 {
				t.Errorf("no place: %v", err)
			}
		})
	}
}

// TestPlans shows the plans of typical statements.
func TestPlans(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, want string }{
		{"nested columns", "INSERT INTO sink SELECT id, r.n.x FROM t WHERE r.a > 1", `
Sink(table=[default_catalog.default_database.sink], fields=[id, name])
+- Project(select=[id, r.n.x AS name])
   +- Filter(where=[(r.a > 1)])
      +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND)])
         +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[id, ts, r{n.x, a}])`},
		{"view", "SELECT x FROM v WHERE id = 7", `
Project(select=[r.n.x AS x])
+- Filter(where=[((i > 0) AND (id = 7))])
   +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND)])
      +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[id, i, ts, r{n.x}])`},
		{"filter reaches scan", "SELECT name FROM (SELECT name, id AS k FROM plain) WHERE k > 1 AND UPPER(name) = 'A'", `
Project(select=[name])
+- Filter(where=[((id > 1) AND (UPPER(name) = 'A'))])
   +- TableSourceScan(table=[[default_catalog, default_database, plain]], fields=[id, name], filter=[((id > 1) AND (UPPER(name) = 'A'))])`},
		{"union", "SELECT name FROM plain WHERE id = 1 UNION ALL SELECT s FROM t UNION ALL SELECT 'x'", `
Union(all=[true], union=[name])
:- Project(select=[name])
:  +- Filter(where=[(id = 1)])
:     +- TableSourceScan(table=[[default_catalog, default_database, plain]], fields=[id, name], filter=[(id = 1)])
:- Project(select=[s])
:  +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND)])
:     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[s, ts])
+- Project(select=['x' AS EXPR$0])
   +- Values(tuples=[1], values=[])`},
		{"names apart", "SELECT id, id, name, 1 FROM plain", `
Project(select=[id, id AS id0, name, 1 AS EXPR$3])
+- TableSourceScan(table=[[default_catalog, default_database, plain]], fields=[id, name])`},
		{"distinct aggregate key twice", "SELECT name, COUNT(name) FROM plain GROUP BY ROLLUP (name)", `
Project(select=[name, EXPR$0 AS EXPR$1])
+- GroupAggregate(groupBy=[name, $e], select=[COUNT(name) AS EXPR$0])
   +- Expand(sets=[2])
      +- Project(select=[name, name])
         +- TableSourceScan(table=[[default_catalog, default_database, plain]], fields=[name])`},
		{"pattern", "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY s ORDER BY ts MEASURES FIRST(A.i) AS f, LAST(B.i, 1) + 1 AS l, SUM(A.i) AS x, MATCH_ROWTIME() AS rt " +
			"PATTERN (A+ B) DEFINE A AS A.i > 1, B AS i < LAST(A.i)) AS m", `
Match(orderBy=[ts ASC], measures=[s, f, l, x, rt], pattern=[A{1,} B])
+- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND)])
   +- Project(select=[id, s, i, l, d, dec1, b, ts, dt, arr, m, r, PROCTIME() AS pt])
      +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[id, s, i, l, d, dec1, b, ts, dt, arr, m, r])`},
		{"computed column", "SELECT pt FROM t", `
Project(select=[pt])
+- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND)])
   +- Project(select=[ts, PROCTIME() AS pt])
      +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[ts])`},
		{"scalar subquery", "SELECT name FROM plain WHERE id = (SELECT MAX(id) FROM t)", `
Project(select=[name])
+- Filter(where=[(id = EXPR$0)])
   +- Join(joinType=[LeftOuterJoin], where=[true], select=[id, name, EXPR$0])
      :- TableSourceScan(table=[[default_catalog, default_database, plain]], fields=[id, name])
      +- GroupAggregate(groupBy=[], select=[MAX(id) AS EXPR$0])
         +- Project(select=[id])
            +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND)])
               +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[id, ts])`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := session(t).Run(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			got := "\n" + strings.TrimRight(explain.Text(sql.Roots(res[0]), explain.Options{}), "\n")
			if got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestStatementSetShares sees that sinks of one job read a table once.
func TestStatementSetShares(t *testing.T) {
	t.Parallel()
	res, err := session(t).Run("EXECUTE STATEMENT SET BEGIN INSERT INTO sink SELECT id, s FROM t; INSERT INTO sink SELECT id, r.n.y FROM t WHERE i > 1; END")
	if err != nil {
		t.Fatal(err)
	}
	scans := map[*plan.Scan]bool{}
	for _, r := range sql.Roots(res[0]) {
		plan.WalkNodes(r, func(n plan.Node) {
			if s, ok := n.(*plan.Scan); ok {
				scans[s] = true
			}
		})
	}
	if len(scans) != 1 {
		t.Fatalf("%d scans, want 1", len(scans))
	}
	for s := range scans {
		if got := explain.Describe(s); !strings.Contains(got, "fields=[id, s, i, ts, r{n.y}]") {
			t.Errorf("the scan reads %s", got)
		}
	}
}

// TestSecrets sees that no answer shows a password.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := sql.NewSession(sql.Options{})
	res, err := s.Run(`CREATE TABLE es (id INT) WITH ('connector.type' = 'elasticsearch', 'connector.password' = 'hunter2', 'connector.username' = 'elastic',
	 'properties.sasl.jaas.config' = 'x password="hunter2"', 'hosts' = 'http://u:hunter2@h:9200;http://g:9200', 'my.secret.key' = 'hunter2', 'token' = 'hunter2');
	 SHOW CREATE TABLE es; EXPLAIN INSERT INTO es SELECT 1; SET 'security.password' = 'hunter2'; SET; DESCRIBE es;`)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, r := range res {
		all.WriteString(r.Message)
		if r.Info == nil {
			continue
		}
		for _, row := range r.Info.Rows {
			for _, c := range row {
				if c != nil {
					all.WriteString(*c)
				}
			}
		}
	}
	if strings.Contains(all.String(), "hunter2") {
		t.Errorf("a secret is shown: %s", all.String())
	}
	for _, want := range []string{"'connector.username' = 'elastic'", "'connector.password' = '******'", "http://u:******@h:9200;http://g:9200"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%s is missing in %s", want, all.String())
		}
	}
}

// TestDefinitions walks through the statements that change or show the catalog.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, want string }{
		{"show tables", "SHOW TABLES LIKE '%e%'", "appender;keyed"},
		{"describe", "CREATE TABLE d (a INT NOT NULL, b AS a + 1, c STRING METADATA FROM 'x' VIRTUAL, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (a) NOT ENFORCED) " +
			"WITH ('connector' = 'x'); DESCRIBE d", "a,INT,FALSE,PRI(a),,;b,INT,FALSE,,AS (`a` + 1),;c,STRING,TRUE,,METADATA FROM 'x' VIRTUAL,;ts,TIMESTAMP(3) *ROWTIME*,TRUE,,,`ts`"},
		{"describe view", "DESCRIBE v", "id,INT,FALSE,,,;x,STRING,TRUE,,,"},
		{"like", "CREATE TABLE q (extra INT) WITH ('topic' = 'y') LIKE plain (INCLUDING ALL); DESCRIBE q", "id,INT,TRUE,,,;name,STRING,TRUE,,,;seen,TIMESTAMP(3),TRUE,,,;extra,INT,TRUE,,,"},
		{"alter add", "ALTER TABLE plain ADD (x INT FIRST, y AS x + id, WATERMARK FOR seen AS seen); DESCRIBE plain",
			"x,INT,TRUE,,,;id,INT,TRUE,,,;name,STRING,TRUE,,,;seen,TIMESTAMP(3) *ROWTIME*,TRUE,,,`seen`;y,INT,TRUE,,AS (`x` + `id`),"},
		{"alter rename", "ALTER TABLE plain RENAME name TO nm; ALTER TABLE plain MODIFY id BIGINT; ALTER TABLE plain DROP seen; DESCRIBE plain", "id,BIGINT,TRUE,,,;nm,STRING,TRUE,,,"},
		{"rename table", "ALTER TABLE plain RENAME TO other; SHOW TABLES LIKE 'other'", "other"},
		{"databases", "CREATE DATABASE d2; USE d2; CREATE TABLE z (a INT) WITH ('connector' = 'x'); SHOW TABLES FROM d2", "z"},
		{"drop if exists", "DROP TABLE IF EXISTS nosuch; DROP VIEW v; SHOW VIEWS", ""},
		{"settings", "SET 'a' = '1'; SET b = 2 s; RESET 'a'; SET", "b,2 s"},
		{"function", "CREATE FUNCTION twice(x INT) RETURNS INT AS x * 2; CREATE VIEW fv AS SELECT TWICE(id) AS y FROM t; DESCRIBE fv", "y,INT,TRUE,,,"},
		{"like overwrites options", "CREATE TABLE q WITH ('connector' = 'y') LIKE plain; SHOW CREATE TABLE q", "CREATE TABLE `default_catalog`.`default_database`.`q` (\n" +
			"  `id` INT,\n  `name` STRING,\n  `seen` TIMESTAMP(3)\n)\nWITH (\n  'connector' = 'y'\n)"},
		{"like keeps places", "CREATE TABLE g (a INT, b AS a, c INT METADATA) COMMENT 'g' WITH ('connector' = 'x'); CREATE TABLE q (b AS a + 1, c BIGINT METADATA) " +
			"LIKE g (OVERWRITING GENERATED OVERWRITING METADATA); DESCRIBE q", "a,INT,TRUE,,,;b,INT,TRUE,,AS (`a` + 1),;c,BIGINT,TRUE,,METADATA,"},
		{"comments", "CREATE TABLE q (a INT COMMENT 'first', b INT) WITH ('connector' = 'x'); ALTER TABLE q MODIFY a BIGINT; DESCRIBE q", "a,BIGINT,TRUE,,,,first;b,INT,TRUE,,,,"},
		{"another key", "CREATE TABLE q (a INT, b INT, CONSTRAINT k PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'x'); ALTER TABLE q DROP CONSTRAINT k; " +
			"ALTER TABLE q ADD PRIMARY KEY (b) NOT ENFORCED; SHOW COLUMNS FROM q LIKE '_'", "a,INT,FALSE,,,;b,INT,FALSE,PRI(b),,"},
		{"numbered secret", "CREATE TABLE q (a INT) WITH ('connector.properties.0.key' = 'sasl.jaas.config', 'connector.properties.0.value' = 'hunter2'); SHOW CREATE TABLE q",
			"CREATE TABLE `default_catalog`.`default_database`.`q` (\n  `a` INT\n)\nWITH (\n  'connector.properties.0.key' = 'sasl.jaas.config',\n  'connector.properties.0.value' = '******'\n)"},
		{"modules", "USE MODULES core; SHOW FULL MODULES", "core,TRUE"},
		{"show create view", "SHOW CREATE VIEW v", "CREATE VIEW `default_catalog`.`default_database`.`v` (`id`, `x`)\nAS SELECT `id`, `r`.`n`.`x` AS `x` FROM `t` WHERE (`i` > 0)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := session(t).Run(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			var rows []string
			for _, r := range res[len(res)-1].Info.Rows {
				cells := make([]string, len(r))
				for i, c := range r {
					if c != nil {
						cells[i] = *c
					}
				}
				rows = append(rows, strings.Join(cells, ","))
			}
			if got := strings.Join(rows, ";"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestShowCreateTableRuns sees that what SHOW CREATE TABLE prints is a statement
// that makes the same table.
func TestShowCreateTableRuns(t *testing.T) {
	t.Parallel()
	s := session(t)
	res, err := s.Run("SHOW CREATE TABLE t")
	if err != nil {
		t.Fatal(err)
	}
	text := *res[0].Info.Rows[0][0]
	again := sql.NewSession(sql.Options{})
	if _, err := again.Run(text); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	res, err = again.Run("SHOW CREATE TABLE t")
	if err != nil {
		t.Fatal(err)
	}
	if got := *res[0].Info.Rows[0][0]; got != text {
		t.Errorf("got %s\nwant %s", got, text)
	}
}

// TestValidator sees that tables are checked where they are made and used.
func TestValidator(t *testing.T) {
	t.Parallel()
	s := sql.NewSession(sql.Options{Validate: func(p *plan.Table) error {
		if p.Options["connector"] != "good" {
			return errors.New("unknown connector")
		}
		return nil
	}})
	if _, err := s.Run("CREATE TABLE a (x INT) WITH ('connector' = 'good'); SELECT * FROM a"); err != nil {
		t.Fatal(err)
	}
	for _, src := range []string{"CREATE TABLE b (x INT) WITH ('connector' = 'bad')", "SELECT * FROM a /*+ OPTIONS('connector'='bad') */"} {
		if _, err := s.Run(src); err == nil || !strings.Contains(err.Error(), "unknown connector") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// FuzzSession sees that no statement brings the analyzer down.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"SELECT a.id, COUNT(*) FROM t a JOIN plain b ON a.id = b.id AND a.ts BETWEEN b.seen AND b.seen GROUP BY a.id HAVING COUNT(*) > 1 ORDER BY 2 LIMIT 1",
		"SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) rn FROM t) WHERE rn = 1",
		"SELECT window_start, SUM(i) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)) GROUP BY window_start, window_end, CUBE(s)",
		"SELECT TUMBLE_END(ts, INTERVAL '1' DAY), GROUPING(s) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' DAY), s",
		"SELECT CASE i WHEN 1 THEN s END, arr[1], m['x'], r.n.x, (SELECT 1), i IN (1, 2), s LIKE 'x' FROM t WHERE EXISTS (SELECT 1 FROM plain WHERE id = t.id)",
		"INSERT INTO sink (id) SELECT id FROM v UNION ALL VALUES (1)",
		"CREATE TABLE q (a INT, b AS a + 1, WATERMARK FOR c AS c) LIKE t", "EXPLAIN SELECT x FROM t, UNNEST(arr) AS u (x)",
		"SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY s ORDER BY ts MEASURES LAST(A.i, 1) AS x, SUM(B.l) AS y PATTERN (A B*) DEFINE A AS A.i > 1) AS m",
		"ALTER TABLE plain ADD x AS id + 1", "SELECT JSON_VALUE(s, '$' RETURNING INT DEFAULT 1 ON EMPTY), TRIM(BOTH 'a' FROM s), 1.5 / 3 FROM t",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s := sql.NewSession(sql.Options{})
		if _, err := s.Run(tables); err != nil {
			t.Fatal(err)
		}
		res, err := s.Run(src)
		var e *sql.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("error without a place: %v", err)
		}
		for _, r := range res {
			explain.Text(sql.Roots(r), explain.Options{Changelog: true})
		}
	})
}

// TestRefusedDefinitions are changes of the catalog that Flink 1.20 refuses, too.
func TestRefusedDefinitions(t *testing.T) {
	t.Parallel()
	const table = "CREATE TABLE b (id INT, part STRING, ts TIMESTAMP(3), c AS id + 1, WATERMARK FOR ts AS ts, PRIMARY KEY (id) NOT ENFORCED) PARTITIONED BY (part) " +
		"WITH ('connector' = 'x'); CREATE VIEW bv AS SELECT id FROM b; "
	tests := []struct{ name, src, want string }{
		{"like all overwriting", "CREATE TABLE l LIKE b (OVERWRITING ALL)", "ALL cannot be OVERWRITING"},
		{"like twice", "CREATE TABLE l LIKE b (EXCLUDING OPTIONS INCLUDING OPTIONS)", "says twice what becomes of OPTIONS"},
		{"like view", "CREATE TABLE l LIKE bv", "\"bv\" is a view"},
		{"like option", "CREATE TABLE l WITH ('connector' = 'y') LIKE b (INCLUDING ALL)", "already set by the table in LIKE"},
		{"like partitions", "CREATE TABLE l PARTITIONED BY (id) LIKE b", "EXCLUDING PARTITIONS"},
		{"like key", "CREATE TABLE l (PRIMARY KEY (part) NOT ENFORCED) LIKE b", "EXCLUDING CONSTRAINTS"},
		{"like watermark", "CREATE TABLE l (WATERMARK FOR ts AS ts) LIKE b", "OVERWRITING WATERMARKS"},
		{"like generated", "CREATE TABLE l (c AS id) LIKE b", "defined twice"},
		{"key of a computed column", "CREATE TABLE l (a INT, b AS a, PRIMARY KEY (b) NOT ENFORCED) WITH ('connector' = 'x')", "must be a physical column"},
		{"a narrower column", "CREATE TABLE k (n INT) WITH ('connector' = 'x'); INSERT INTO k SELECT COUNT(*) AS cnt FROM b",
			"column 1 (cnt) of the query is BIGINT, but column \"n\" of table \"k\" is INT; write CAST(`cnt` AS INT)"},
		{"second key", "ALTER TABLE b ADD PRIMARY KEY (part) NOT ENFORCED", "already: (id); write MODIFY"},
		{"no such constraint", "ALTER TABLE b DROP CONSTRAINT k", "has no constraint \"k\"; its primary key is \"PK_id\""},
		{"nothing to modify", "ALTER TABLE b DROP WATERMARK; ALTER TABLE b MODIFY WATERMARK FOR ts AS ts", "has no watermark; write ADD"},
		{"column in use", "ALTER TABLE b DROP PRIMARY KEY; ALTER TABLE b DROP id", "computed column \"c\" would no longer hold"},
		{"rename column in use", "ALTER TABLE b RENAME id TO i", "computed column \"c\" would no longer hold"},
		{"watermark in use", "ALTER TABLE b MODIFY ts STRING", "the watermark would no longer hold"},
		{"new column is wrong", "ALTER TABLE b ADD d AS nosuch", "\"nosuch\" not found"},
		{"reset nothing", "ALTER TABLE b RESET ()", "RESET names no option"},
		{"alter what is not there", "ALTER TABLE bb ADD x INT", "table \"bb\" not found; did you mean"},
		{"alter a view as table", "ALTER TABLE bv ADD x INT", "write ALTER VIEW"},
		{"drop a view as table", "DROP TABLE bv", "write DROP VIEW"},
		{"drop as temporary", "DROP TEMPORARY TABLE b", "write DROP TABLE"},
		{"drop a temporary one", "CREATE TEMPORARY TABLE b (x INT) WITH ('connector' = 'x'); DROP TABLE b", "write DROP TEMPORARY"},
		{"partitions", "CREATE TABLE l (x INT) WITH ('connector' = 'x'); SHOW PARTITIONS l", "is not partitioned"},
		{"partition", "ALTER TABLE b ADD PARTITION (part = 'x')", "not supported"},
		{"modules", "USE MODULES core, hive", "there is no module but core"},
		{"jars", "ADD JAR 'x.jar'", "ADD JAR is not supported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := sql.NewSession(sql.Options{}).Run(table + tt.src)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "line ") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
