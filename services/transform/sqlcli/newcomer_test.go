package sqlcli_test

import (
	"os"
	"strings"
	"testing"
)

// shop are the tables that the statements of newcomers are about.
const shop = "CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10,2), ts TIMESTAMP(3), tags ARRAY<STRING>, info ROW<a INT, b STRING>) " +
	"WITH ('connector'='kafka','topic'='orders','properties.bootstrap.servers'='b:1','format'='json'); " +
	"CREATE TABLE out1 (id BIGINT, name STRING) WITH ('connector'='print'); " +
	"CREATE TABLE files (id BIGINT, name STRING) WITH ('connector'='filesystem','path'='/tmp/x','format'='json'); "

// TestNewcomers has the statements that people write who come from other databases,
// or who slip, and what they read then. The texts are meant to be read: who changes
// one shall look at it in the file.
func TestNewcomers(t *testing.T) {
	b, err := os.ReadFile("testdata/newcomer.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for part := range strings.SplitSeq(string(b), "\n\n") {
		statement, want, ok := strings.Cut(strings.TrimSpace(part), "\n")
		if !ok {
			continue
		}
		cases++
		statement = strings.TrimPrefix(statement, "> ")
		t.Run(statement, func(t *testing.T) {
			_, errs, code := output(t, "table", shop+"\n"+statement+"\n")
			got := strings.TrimSpace(errs)
			got = strings.Replace(strings.Replace(got, "line 2,", "line 1,", 1), "line 3,", "line 2,", 1)
			if start, more := strings.CutSuffix(want, " ..."); more && strings.HasPrefix(got, start) {
				got = want // the rest is a list that grows
			}
			if code != 1 || got != want {
				t.Errorf("exit code %d\ngot  %s\nwant %s", code, got, want)
			}
		})
	}
	if cases < 80 {
		t.Errorf("only %d cases were found", cases)
	}
}
