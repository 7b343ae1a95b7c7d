//go:build integration

package integration

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLookupJoin enriches rows with documents of the store, whose mapping nobody
// gave: keys are text with signs in it and capital letters.
func TestLookupJoin(t *testing.T) {
	for _, x := range sites[:2] {
		t.Run(x.name, func(t *testing.T) {
			s := x.make(t)
			appendFile(t, s.log(), "")
			s.boot()
			var docs strings.Builder
			for i, name := range []string{"Ada", "Bo", "Cy"} {
				fmt.Fprintf(&docs, "{\"index\":{\"_index\":%q}}\n{\"id\":\"User-%d@Example.org\",\"team\":%d,\"name\":%q,\"age\":%d}\n", s.index, i%2, i, name, 30+i)
			}
			eventually(t, 30*time.Second, "the store takes documents", func() error { return s.ask("POST", "/_bulk?refresh=true", docs.String(), nil) })
			visits := filepath.Join(s.dir, "visits.csv")
			writeFile(t, visits, "1,User-0@Example.org,0\n2,User-1@Example.org,1\n3,nobody,7\n4,User-0@Example.org,2\n")
			job := fmt.Sprintf(`
CREATE TABLE visits (n INT, who STRING, team BIGINT, p AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'csv');
CREATE TABLE people (id STRING, team BIGINT, name STRING, age INT) WITH (
    'connector' = 'elasticsearch-7', 'hosts' = '%s', 'index' = '%s', 'username' = '%s', 'password' = '%s');
SELECT n, name, age FROM visits v LEFT JOIN people FOR SYSTEM_TIME AS OF v.p AS x ON v.who = x.id AND v.team = x.team;
`, visits, s.search, s.index, s.user, s.pass)
			out, err := exec.Command(bin("weirflow"), "sql", "-f", writeFile(t, filepath.Join(s.dir, "join.sql"), job), "--output", "csv").CombinedOutput()
			if want := "op,n,name,age\n+I,1,Ada,30\n+I,2,Bo,31\n+I,3,,\n+I,4,Cy,32\n"; err != nil || string(out) != want {
				t.Errorf("got (%v)\n%s\nwant\n%s", err, out, want)
			}
		})
	}
}
