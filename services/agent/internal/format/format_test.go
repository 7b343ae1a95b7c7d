package format_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/format"
)

func TestRun(t *testing.T) {
	t.Parallel()
	e := &document.Event{
		Timestamp: time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC),
		Fields:    document.Map{"fields": document.Map{"x": "v", "n": int64(7)}},
	}
	for _, c := range []struct{ in, want, err string }{
		{"plain", "plain", ""},
		{"a-%{[fields.x]}-%{[fields.n]}", "a-v-7", ""},
		{"%{[nope]:d}", "d", ""},
		{"%{[nope]:}", "", ""},
		{"%{[nope]}", "", "key not found"},
		{"i-%{+yyyy.MM.dd}", "i-2031.02.03", ""},
		{"%{+HH:mm:ss}", "04:05:06", ""},
		{"100%", "100%", ""},
	} {
		f, err := format.Compile(c.in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Run(e)
		if got != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %q, %v", c.in, got, err)
		}
	}
	for _, bad := range []string{"%{", "%{[x}", "%{x}", "%{[]}", "%{[a]b}"} {
		if _, err := format.Compile(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("a-%{[b.c]:d}-%{+yyyy}")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := format.Compile(s)
		if err != nil {
			return
		}
		_, _ = c.Run(&document.Event{Fields: document.Map{}}) // must not panic
	})
}
