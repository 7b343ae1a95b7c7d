package eval

import "testing"

func TestLikeWithoutARegularExpression(t *testing.T) {
	for _, tt := range []struct {
		s, pattern string
		want       bool
	}{
		{"abc", "abc", true}, {"abc", "ab", false}, {"abc", "%", true}, {"", "%", true}, {"", "%%", true}, {"", "a%", false},
		{"abc", "a%", true}, {"abc", "%c", true}, {"abc", "%b%", true}, {"abc", "a%c", true}, {"abc", "%a%b%c%", true},
		{"abc", "%c%a%", false}, {"aa", "a%a", true}, {"a", "a%a", false}, {"abab", "%ab%ab", true}, {"ab", "%ab%ab", false},
		{"aXbXc", "a%b%c", true}, {"línea\n2", "l%2", true}, {"axxb", "a%%b", true}, {"b", "%a%b", false},
	} {
		m, err := likeMatcher(tt.pattern, "", false)
		if err != nil {
			t.Fatal(err)
		}
		if got := m(tt.s); got != tt.want {
			t.Errorf("%q LIKE %q is %t", tt.s, tt.pattern, got)
		}
	}
}
