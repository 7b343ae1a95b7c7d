package analysis_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
)

func terms(a *analysis.Analyzer, s string) string {
	var out []string
	for _, t := range a.Terms(s) {
		out = append(out, string(t.Term))
	}
	return strings.Join(out, "|")
}

func TestStandard(t *testing.T) {
	for _, c := range [...][2]string{
		{"The QUICK brown-fox", "the|quick|brown|fox"}, {"can't stop 3.14 1,000 v1.2.3", "can't|stop|3.14|1,000|v1.2.3"}, {"snake_case __x__", "snake_case|__x__"}, {"a.b.c host.example.com", "a.b.c|host.example.com"},
		{"kworker/1:0H sshd:", "kworker|1|0h|sshd"}, {"磁盘已满 disk", "磁|盘|已|满|disk"}, {"カタカナ ひらがな", "カタカナ|ひ|ら|が|な"}, {"naïve ÜBER", "naïve|über"}, {"", ""}, {"... -- ///", ""}, {"한국어 문장", "한국어|문장"},
	} {
		if got := terms(analysis.Builtin("standard"), c[0]); got != c[1] {
			t.Errorf("%q: want %s, got %s", c[0], c[1], got)
		}
	}
}

func TestOthers(t *testing.T) {
	folding, unknown := analysis.Custom("whitespace", []string{"lowercase", "asciifolding", "stop"})
	if folding == nil {
		t.Fatal(unknown)
	}
	for _, c := range [...]struct {
		a          *analysis.Analyzer
		text, want string
	}{
		{analysis.Builtin("whitespace"), "a-b C", "a-b|C"}, {analysis.Builtin("keyword"), "a b", "a b"}, {analysis.Builtin("simple"), "A1 b", "a|b"}, {analysis.Builtin("stop"), "the fox", "fox"}, {folding, "The Café", "cafe"},
	} {
		if got := terms(c.a, c.text); got != c.want {
			t.Errorf("%s %q: want %s, got %s", c.a.Name, c.text, c.want, got)
		}
	}
	if a, unknown := analysis.Custom("standard", []string{"nope"}); a != nil || unknown == "" {
		t.Error("an unknown filter was taken")
	}
}

func FuzzStandard(f *testing.F) {
	f.Add("a.b 1,2 磁盘 e\u0301 \xff")
	f.Fuzz(func(t *testing.T, s string) {
		last := 0
		analysis.Standard([]byte(s), func(start, end int) {
			if start < last || end <= start || end > len(s) || utf8.RuneCountInString(s[start:end]) > 256 {
				t.Fatalf("%q: %d..%d behind %d", s, start, end, last)
			}
			last = end
		})
	})
}
