package sql_test

import (
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	for key, hint := range map[string]string{
		"table.exec.state.ttl":             "",
		"table.exec.state.tll":             "table.exec.state.ttl",
		"table.exec.mini-batch.enable":     "table.exec.mini-batch.enabled",
		"execution.checkpoint.interval":    "execution.checkpointing.interval",
		"pipeline.nmae":                    "pipeline.name",
		"parallelism.default":              "",
		"table.exec.something-new.enabled": "",
		"my.own.setting":                   "",
	} {
		_, err := sql.NewSession(sql.Options{}).Run("SET '" + key + "' = '1'")
		switch {
		case hint == "" && err != nil:
			t.Errorf("%s: %v", key, err)
		case hint != "" && (err == nil || !strings.Contains(err.Error(), hint) || !strings.HasPrefix(err.Error(), "line 1")):
			t.Errorf("%s: error %v, want a hint at %s", key, err, hint)
		}
	}
}
