package credential_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/credential"
)

func TestRead(t *testing.T) {
	t.Setenv("WEIRFLOW_TEST_KEY", "from the environment")
	dir := t.TempDir()
	full, empty := filepath.Join(dir, "full"), filepath.Join(dir, "empty")
	for path, text := range map[string]string{full: "from a file\n", empty: "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		s    credential.Source
		want string
		fail string
	}{
		"as it is":    {credential.Source{Key: "key", Value: "a$b{c}"}, "a$b{c}", ""},
		"environment": {credential.Source{Key: "key", Value: "https://x/?k=${WEIRFLOW_TEST_KEY}"}, "https://x/?k=from the environment", ""},
		"not there":   {credential.Source{Key: "key", Value: "s3cret${WEIRFLOW_TEST_NONE}"}, "", "key: the environment has no WEIRFLOW_TEST_NONE"},
		"file":        {credential.Source{Key: "key", File: full}, "from a file", ""},
		"empty file":  {credential.Source{Key: "key", File: empty}, "", "is empty"},
		"no file":     {credential.Source{Key: "key", File: filepath.Join(dir, "none")}, "", "key_file: open"},
	} {
		got, err := tt.s.Read()
		if got != tt.want || (err == nil) != (tt.fail == "") || err != nil && (!strings.Contains(err.Error(), tt.fail) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		s    credential.Source
		want string
	}{
		"value": {credential.Source{Key: "key", Value: "x"}, ""}, "file": {credential.Source{Key: "key", File: "/x"}, ""},
		"both": {credential.Source{Key: "key", Value: "x", File: "/x"}, "exclude"}, "none": {credential.Source{Key: "key"}, "required"},
		"relative": {credential.Source{Key: "key", File: "x"}, "absolute"},
	} {
		if err := tt.s.Validate(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
