package diag_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
)

func TestError(t *testing.T) {
	t.Parallel()
	err := diag.At(plan.Pos{Line: 3, Column: 8}, "column %q not found", "x").WithHint("did you mean %q?", "y")
	if got, want := err.Error(), `line 3, column 8: column "x" not found; did you mean "y"?`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := diag.At(plan.Pos{}, "no place").Error(); got != "no place" {
		t.Errorf("got %s", got)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"message", "host", "@timestamp", "id"}
	for name, want := range map[string]string{"mesage": "message", "HOST": "host", "timestamp": "@timestamp", "zzz": "", "ix": "id", "": ""} {
		if got := diag.Nearest(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
