//go:build integration

package differential

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stream writes random rows of a stream to a file: keys and values repeat, some
// are NULL, and time goes forward with small steps back.
func (g *generator) stream(file string, rows int) error {
	var b strings.Builder
	at := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	for id := range rows {
		at = at.Add(time.Duration(g.rand.IntN(9000)) * time.Millisecond)
		row := map[string]any{"id": id, "k": g.pick("a", "b", "c", "d"), "v": g.rand.IntN(20) - 5, "d": float64(g.rand.IntN(4000)-1000) / 8,
			"s": g.pick("x", "yy", "zé", "", "x"), "p": json.Number(strconv.Itoa(g.rand.IntN(1000)) + "." + g.number(10) + g.number(10)),
			"ts": at.Add(-time.Duration(g.rand.IntN(4000)) * time.Millisecond).Format("2006-01-02T15:04:05.000"), "arr": []string{g.pick("m", "n"), g.pick("n", "o")}}
		if g.rand.IntN(8) == 0 {
			row[g.pick("k", "v", "d", "s")] = nil
		}
		line, err := json.Marshal(row)
		if err != nil {
			return err
		}
		b.Write(append(line, '\n'))
	}
	return os.WriteFile(file, []byte(b.String()), 0o600)
}

// tables declares the streams e and f of a folder.
func tables(dir string) []string {
	var out []string
	for _, name := range []string{"e", "f"} {
		out = append(out, "CREATE TABLE "+name+" (id INT, k STRING, v INT, d DOUBLE, s STRING, p DECIMAL(8, 2), ts TIMESTAMP(3), arr ARRAY<STRING>, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH "+
			"('connector' = 'filesystem', 'path' = '"+filepath.Join(dir, name+".ndjson")+"', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')")
	}
	return out
}

func (g *generator) aggregates() string {
	all := []string{"COUNT(*)", "COUNT(v)", "COUNT(DISTINCT s)", "SUM(v)", "MIN(v)", "MAX(d)", "AVG(v)", "AVG(d)", "SUM(p)", "AVG(p)", "MAX(s)", "MIN(ts)", "SUM(v) FILTER (WHERE v > 3)", "COUNT(*) FILTER (WHERE s = 'x')",
		"SUM(DISTINCT v)", "STDDEV_POP(v)", "VAR_SAMP(v)", "COUNT(DISTINCT k)", "MAX(v) - MIN(v)", "SUM(v) + COUNT(*)", "COUNT(DISTINCT v) FILTER (WHERE d > 0)", "MAX(p)"}
	g.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var out []string
	for i, a := range all[:1+g.rand.IntN(4)] {
		out = append(out, fmt.Sprintf("%s AS a%d", a, i))
	}
	return strings.Join(out, ", ")
}

func (g *generator) condition(table string) string {
	c := table + "."
	if table == "" {
		c = ""
	}
	return g.pick(c+"v > "+g.number(8), c+"s = 'x'", c+"k <> 'b'", c+"v IS NOT NULL", c+"d BETWEEN -20 AND 200", c+"s LIKE '%'", c+"v % 2 = 0", c+"k IN ('a', 'c')", "CHAR_LENGTH("+c+"s) < 2", "NOT ("+c+"v > 5)",
		c+"v > 2 OR "+c+"s IS NULL", c+"p < 500 AND "+c+"d > 0")
}

func (g *generator) window() string {
	return g.pick("TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '10' SECOND)", "TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '30' SECOND)",
		"HOP(TABLE e, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND)", "CUMULATE(TABLE e, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '30' SECOND)",
		"SESSION(TABLE e PARTITION BY k, DESCRIPTOR(ts), INTERVAL '6' SECOND)")
}

// query makes a random query over e and f.
func (g *generator) query() string {
	direction := g.pick("", " DESC", " ASC")
	switch g.rand.IntN(22) {
	case 0:
		return "SELECT id, k, v + 1 AS w, UPPER(s) AS u FROM e WHERE " + g.condition("")
	case 1:
		return "SELECT k, " + g.aggregates() + " FROM e GROUP BY k"
	case 2:
		return "SELECT k, s, " + g.aggregates() + " FROM e WHERE " + g.condition("") + " GROUP BY k, s HAVING COUNT(*) > " + g.number(3)
	case 3:
		return "SELECT " + g.aggregates() + " FROM e WHERE " + g.condition("")
	case 4, 5:
		w := g.window()
		if strings.HasPrefix(w, "SESSION") {
			return "SELECT k, window_start, window_end, " + g.aggregates() + " FROM TABLE(" + w + ") GROUP BY k, window_start, window_end"
		}
		key := g.pick("k, ", "s, ", "", "k, s, ")
		return "SELECT " + key + "window_start, window_end, " + g.aggregates() + " FROM TABLE(" + w + ") WHERE " + g.condition("") + " GROUP BY " + key + "window_start, window_end"
	case 6:
		return "SELECT k, TUMBLE_START(ts, INTERVAL '10' SECOND) AS ws, " + g.aggregates() + " FROM e GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)"
	case 7:
		return "SELECT e.id, f.id AS fid, e.k, f.v FROM e " + g.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN") + " f ON e.k = f.k AND e.v " + g.pick("=", "<", ">=") + " f.v" + g.pick("", " WHERE "+g.condition("e"))
	case 8:
		return "SELECT e.id, f.id AS fid FROM e " + g.pick("JOIN", "LEFT JOIN", "FULL JOIN") + " f ON e.k = f.k AND e.ts BETWEEN f.ts - INTERVAL '4' SECOND AND f.ts + INTERVAL '" + g.number(9) + "' SECOND"
	case 9:
		return "SELECT id, k, v, SUM(v) OVER w AS a, COUNT(*) OVER w AS c, MAX(s) OVER w AS m FROM e WINDOW w AS (PARTITION BY k ORDER BY ts " +
			g.pick("ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW", "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "") + ")"
	case 10:
		return "SELECT id, k, " + g.pick("LAG(v)", "LAG(v, 2)") + " OVER (PARTITION BY k ORDER BY ts) AS l FROM e"
	case 11:
		return "SELECT k, v, id, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v" + direction + ", id) AS rn FROM e) WHERE rn <= " + strconv.Itoa(1+g.rand.IntN(3))
	case 12:
		return "SELECT id, k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k, s ORDER BY ts" + direction + ") AS rn FROM e) WHERE rn = 1"
	case 13:
		return "SELECT window_start, k, c, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY c DESC, k) AS rn FROM (SELECT window_start, window_end, k, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end, k)) WHERE rn <= 2"
	case 14:
		return "SELECT k, s FROM e " + g.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL") + " SELECT k, s FROM f WHERE " + g.condition("")
	case 15:
		return "SELECT DISTINCT " + g.pick("k", "k, s", "s, v") + " FROM e WHERE " + g.condition("")
	case 16:
		return "SELECT id, k FROM e WHERE " + g.pick("k IN (SELECT k FROM f WHERE v > 4)", "EXISTS (SELECT 1 FROM f WHERE f.k = e.k AND f.v = e.v)", "v NOT IN (SELECT v FROM f WHERE v IS NOT NULL AND v > 5) AND v IS NOT NULL", "NOT EXISTS (SELECT 1 FROM f WHERE f.s = e.s AND f.v > e.v)")
	case 17:
		return "SELECT m, COUNT(*) AS n FROM (SELECT k, COUNT(*) AS m FROM e GROUP BY k) GROUP BY m"
	case 18:
		return "SELECT k, s, " + g.aggregates() + ", GROUPING(k) AS g FROM e GROUP BY " + g.pick("ROLLUP (k, s)", "CUBE (k, s)", "GROUPING SETS ((k), (s), ())")
	case 19:
		return "SELECT id, k, x FROM e CROSS JOIN UNNEST(arr) AS t (x) WHERE " + g.condition("")
	case 20:
		return "WITH a AS (SELECT k, SUM(v) AS sv FROM e GROUP BY k), b AS (SELECT k, MAX(v) AS mv FROM f GROUP BY k) SELECT a.k, sv, mv FROM a " + g.pick("JOIN", "LEFT JOIN", "FULL JOIN") + " b ON a.k = b.k"
	default:
		return "SELECT e.k, e.id, f.id AS fid, e.window_start FROM (SELECT * FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '10' SECOND))) e " + g.pick("JOIN", "LEFT JOIN", "FULL JOIN") +
			" (SELECT * FROM TABLE(TUMBLE(TABLE f, DESCRIPTOR(ts), INTERVAL '10' SECOND))) f ON e.k = f.k AND e.window_start = f.window_start AND e.window_end = f.window_end"
	}
}

// queryDifference says in what the rows that remain differ, or whether one side
// changes rows where the other only inserts; "" for nothing.
func queryDifference(flink, ours *result) string {
	f, o := final(flink.changes), final(ours.changes)
	if !reflect.DeepEqual(f, o) {
		var b strings.Builder
		for _, row := range slices.Sorted(maps.Keys(f)) {
			if f[row] != o[row] {
				fmt.Fprintf(&b, "  %s: flink %d times, ours %d\n", row, f[row], o[row])
			}
		}
		for _, row := range slices.Sorted(maps.Keys(o)) {
			if _, ok := f[row]; !ok {
				fmt.Fprintf(&b, "  %s: flink 0 times, ours %d\n", row, o[row])
			}
		}
		return b.String()
	}
	for _, c := range flink.changes {
		if c.Op != "+I" {
			return ""
		}
	}
	for _, c := range ours.changes {
		if c.Op != "+I" {
			return onlyInserts
		}
	}
	return ""
}

// onlyInserts is where the same rows remain, after changes that Flink has not.
const onlyInserts = "  rows are changed where Flink only inserts\n"

// outerJoin finds joins whose changes depend on which input is read first.
var outerJoin = regexp.MustCompile(`(LEFT|RIGHT|FULL) JOIN`)

// final counts the rows that remain when all changes are applied.
func final(changes []change) map[string]int {
	out := make(map[string]int)
	for _, c := range changes {
		key := fmt.Sprint(normal(c.Row))
		if c.Op == "+I" || c.Op == "+U" {
			out[key]++
		} else {
			out[key]--
		}
		if out[key] == 0 {
			delete(out, key)
		}
	}
	return out
}

var timestamp = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z?)$`)

// normal gives one form to values that are the same.
func normal(v any) any {
	switch v := v.(type) {
	case string:
		if m := timestamp.FindStringSubmatch(v); m != nil {
			if strings.Count(m[2], ":") == 1 {
				m[2] += ":00"
			}
			return m[1] + " " + m[2] + strings.TrimRight(strings.TrimRight(m[3], "0"), ".") + m[4]
		}
		return strconv.Quote(v)
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return fmt.Sprintf("%.9g", f)
		}
		return v.String()
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			out = append(out, normal(x))
		}
		return out
	default:
		return v
	}
}
