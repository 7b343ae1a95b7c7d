package script

import (
	"strconv"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Input is a reading of a table.
type Input struct {
	// Name is the table's, with a number behind it if it is read more than once.
	Name  string
	Table *plan.Table
}

// InputName names the next reading of a table; seen counts those before it.
func InputName(seen map[string]int, t *plan.Table) string {
	seen[t.Name]++
	if n := seen[t.Name]; n > 1 {
		return t.Name + "#" + strconv.Itoa(n)
	}
	return t.Name
}
