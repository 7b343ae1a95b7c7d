package suggest_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/platform/suggest"
)

func TestNearest(t *testing.T) {
	known := []string{"bootstrap.servers", "group.id", "json.ignore-parse-errors", "paths", "exclude_files"}
	for given, want := range map[string]string{
		"boostrap.servers": "bootstrap.servers", "json.ignore_parse_errors": "json.ignore-parse-errors", "path": "paths",
		"Exclude-Files": "exclude_files", "zzz": "", "": "",
	} {
		got, ok := suggest.Nearest(given, known)
		if ok != (want != "") || (ok && got != want) {
			t.Errorf("Nearest(%q) = %q, %t; want %q", given, got, ok, want)
		}
	}
	if h := suggest.Hint("path", known); h != `; did you mean "paths"?` {
		t.Errorf("hint = %q", h)
	}
}
