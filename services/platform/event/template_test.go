package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/platform/event"
)

const envelope = `{"input":{"type":"log"},"host":{"name":"h","ip":["10.0.0.1"]},"agent":{"type":"filebeat"},"ecs":{"version":"8.0.0"}}`

func newTemplate(t testing.TB, s event.Source) *event.Template {
	t.Helper()
	tmpl, err := event.NewTemplate(s)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func TestAppendLine(t *testing.T) {
	tmpl := newTemplate(t, event.Source{Path: `/tmp/a "b".log`, Envelope: []byte(envelope)})
	got := string(tmpl.AppendLine([]byte("x"), 1630318972888, 2449931, []byte("hello")))
	want := `x{"@timestamp":"2021-08-30T10:22:52.888Z","@metadata":{"beat":"filebeat","type":"_doc","version":"8.1.3"},` +
		`"log":{"offset":2449931,"file":{"path":"/tmp/a \"b\".log"}},"message":"hello",` + envelope[1:]
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAppendLineWithoutEnvelope(t *testing.T) {
	for _, e := range []string{"", "{}", " { } "} {
		tmpl := newTemplate(t, event.Source{Path: "p", Beat: "b", Version: "1", Envelope: []byte(e)})
		got := string(tmpl.AppendLine(nil, 0, 0, nil))
		want := `{"@timestamp":"1970-01-01T00:00:00.000Z","@metadata":{"beat":"b","type":"_doc","version":"1"},"log":{"offset":0,"file":{"path":"p"}},"message":""}`
		if got != want {
			t.Errorf("envelope %q: got %s", e, got)
		}
	}
}

func TestTimestamps(t *testing.T) {
	tmpl := newTemplate(t, event.Source{Path: "p"})
	for _, c := range []struct {
		millis int64
		want   string
	}{
		{0, "1970-01-01T00:00:00.000Z"},
		{1, "1970-01-01T00:00:00.001Z"},
		{999, "1970-01-01T00:00:00.999Z"},
		{1000, "1970-01-01T00:00:01.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{-1000, "1969-12-31T23:59:59.000Z"},
		{253402300800000, "10000-01-01T00:00:00.000Z"},
		{1630318972888, "2021-08-30T10:22:52.888Z"},
	} {
		got := string(tmpl.AppendLine(nil, c.millis, 0, nil))
		if !strings.HasPrefix(got, `{"@timestamp":"`+c.want+`"`) {
			t.Errorf("%d: got %.60s, want %s", c.millis, got, c.want)
		}
	}
}

func TestEscaping(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "a plain line, long enough for words", "a plain line, long enough for words"},
		{"quote and backslash", `say "x" \ y`, `say \"x\" \\ y`},
		{"common controls", "a\tb\nc\rd", `a\tb\nc\rd`},
		{"other controls", "\x00\x07\x08\x0b\x0c\x1b\x1f", `\u0000\u0007\u0008\u000b\u000c\u001b\u001f`},
		{"delete stays", "\x7f", "\x7f"},
		{"html stays", "<b>&amp;</b>/", "<b>&amp;</b>/"},
		{"valid utf-8", "é 水壶 😀", "é 水壶 😀"},
		{"line separators", "a\u2028b\u2029c\u2027", `a\u2028b\u2029c` + "\u2027"},
		{"invalid bytes, one each", "bad \xff\xfe byte", `bad \ufffd\ufffd byte`},
		{"cut rune", "cut \xe4\xbd", `cut \ufffd\ufffd`},
		{"surrogate", "\xed\xa0\x80", `\ufffd\ufffd\ufffd`},
		{"real U+FFFD stays", "\ufffd", "\ufffd"},
		{"special in each lane", "1234567\"1234567\\1234567\x01", `1234567\"1234567\\1234567\u0001`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(event.AppendEscaped(nil, []byte(c.in))); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestBadEnvelopes(t *testing.T) {
	for _, e := range []string{"[]", "null", "{", `{"a":1}{}`, "x", `{"message":"m"}`, `{"log":{}}`, `{"@timestamp":1}`, `{"@metadata":{}}`} {
		if _, err := event.NewTemplate(event.Source{Envelope: []byte(e)}); !errors.Is(err, event.ErrEnvelope) {
			t.Errorf("%s: error %v", e, err)
		}
	}
}

func TestAppendID(t *testing.T) {
	if got := string(event.AppendID(nil, "agent", "f1", 42)); got != "agent:f1:42" {
		t.Error(got)
	}
}

func FuzzAppendLine(f *testing.F) {
	f.Add([]byte("plain"), int64(0), int64(0))
	f.Add([]byte("\x00\xff\"\\\u2028"), int64(1630318972888), int64(1))
	tmpl := newTemplate(f, event.Source{Path: "/x", Envelope: []byte(envelope)})
	f.Fuzz(func(t *testing.T, line []byte, millis, offset int64) {
		millis %= 253402300800000
		out := tmpl.AppendLine(nil, millis, offset, line)
		var got struct {
			Log     struct{ Offset int64 }
			Message string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if !utf8.Valid(out) {
			t.Fatalf("%q: not UTF-8", out)
		}
		want := replaceInvalid(line)
		if got.Message != want || got.Log.Offset != offset {
			t.Fatalf("got %q at %d, want %q at %d", got.Message, got.Log.Offset, want, offset)
		}
	})
}

// replaceInvalid is the plain form of the rule: U+FFFD for each bad byte.
func replaceInvalid(line []byte) string {
	var b strings.Builder
	for _, r := range string(line) { // a range yields U+FFFD byte by byte
		b.WriteRune(r)
	}
	return b.String()
}

func BenchmarkAppendEscaped(b *testing.B) {
	for name, text := range map[string]string{
		"ascii":   strings.Repeat("GET /index.html 200 ", 50),
		"chinese": strings.Repeat("水壶已开 200 ", 50),
		"quotes":  strings.Repeat(`{"key":"value"} `, 50),
	} {
		b.Run(name, func(b *testing.B) {
			in, buf := []byte(text), make([]byte, 0, 4*len(text))
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				buf = event.AppendEscaped(buf[:0], in)
			}
		})
	}
}

func BenchmarkAppendLine(b *testing.B) {
	tmpl := newTemplate(b, event.Source{Path: "/var/log/app.log", Envelope: []byte(`{"host":"` + strings.Repeat("x", 600) + `"}`)})
	line := bytes.Repeat([]byte("x"), 121)
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		buf = tmpl.AppendLine(buf[:0], 1630318972888+i/100, i*121, line)
	}
	b.SetBytes(int64(len(buf)))
}
