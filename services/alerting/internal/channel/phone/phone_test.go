package phone_test

import (
	"regexp"
	"testing"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/phone"
)

func TestNormal(t *testing.T) {
	for text, want := range map[string]string{
		"13800138000": "+8613800138000", " +86 138-0013-8000 ": "+8613800138000", "008613800138000": "+8613800138000", "+1 (202) 555-0123": "+12025550123",
		"": "", "12": "", "23800138000": "", "+86138001380001234": "", "+0123456789": "", "+86１３８００１３８０００": "", "13800138000; drop": "",
	} {
		if got, err := phone.Normal(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func FuzzNormal(f *testing.F) {
	f.Add("+86 13800138000")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := phone.Normal(text)
		if err != nil {
			return
		}
		if !regexp.MustCompile(`^\+[1-9][0-9]{5,14}$`).MatchString(n) {
			t.Fatalf("%q is %q", text, n)
		}
		if again, err := phone.Normal(n); again != n || err != nil {
			t.Fatalf("%q becomes %q", n, again)
		}
	})
}
