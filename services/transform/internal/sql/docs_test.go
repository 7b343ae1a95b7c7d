package sql_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

// The statements that the README and the guide show are right as they stand.
func TestStatementsOfTheDocs(t *testing.T) {
	block := regexp.MustCompile("(?s)```sql\n(.*?)```")
	for _, name := range []string{"README.md", "docs/sql.md", "docs/alerting.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllSubmatch(text, -1)
		if len(blocks) == 0 {
			t.Errorf("%s shows no statements", name)
		}
		for _, b := range blocks {
			if _, err := sql.NewSession(sql.Options{}).Run(string(b[1])); err != nil {
				t.Errorf("%s: %v\n%s", name, err, b[1])
			}
		}
	}
}
