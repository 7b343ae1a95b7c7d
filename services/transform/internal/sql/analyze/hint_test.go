package analyze_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

func TestStateLifetimes(t *testing.T) {
	t.Parallel()
	s := sql.NewSession(sql.Options{})
	if _, err := s.Run("CREATE TABLE a (k INT, v INT) WITH ('connector' = 'x'); CREATE TABLE b (k INT, w INT) WITH ('connector' = 'x')"); err != nil {
		t.Fatal(err)
	}
	res, err := s.Run("SELECT /*+ STATE_TTL('a' = '3 days', 'z' = '10s') */ a.v, z.w FROM a JOIN b AS z ON a.k = z.k; SELECT /*+ STATE_TTL('a' = '1 h') */ k, COUNT(*) FROM a GROUP BY k")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, r := range res {
		plan.WalkNodes(r.Query.Root, func(n plan.Node) {
			switch n := n.(type) {
			case *plan.Join:
				found++
				if n.TTL[0] == nil || *n.TTL[0] != 72*time.Hour || n.TTL[1] == nil || *n.TTL[1] != 10*time.Second {
					t.Errorf("lifetimes of the join %v", n.TTL)
				}
			case *plan.Aggregate:
				found++
				if n.TTL == nil || *n.TTL != time.Hour {
					t.Errorf("lifetime of the groups %v", n.TTL)
				}
			}
		})
	}
	if found != 2 {
		t.Errorf("%d operators with a lifetime", found)
	}
	for text, want := range map[string]string{
		"SELECT /*+ STATE_TTL('a' = 'long') */ k FROM a":              "must be a duration",
		"SELECT /*+ STAET_TTL('a' = '1d') */ k FROM a":                `did you mean "STATE_TTL"`,
		"SELECT /*+ BROADCAST(b) */ a.v FROM a JOIN b ON a.k = b.k":   "",
		"SELECT /*+ SHUFFLE_HASH(b) */ a.v FROM a, b WHERE a.k = b.k": "",
	} {
		_, err := s.Run(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}
