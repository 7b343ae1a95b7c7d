package message_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/alert"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
)

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text  string
		limit int
		size  message.Size
		want  string
	}{
		{"short", 5, message.Bytes, "short"},
		{"longer", 5, message.Bytes, "lo…"},
		{"日志很长", 12, message.Bytes, "日志很长"},
		{"日志很长", 11, message.Bytes, "日志…"},
		{"日志很长", 10, message.Bytes, "日志…"},
		{"日志很长", 8, message.Bytes, "日…"},
		{"日志很长", 3, message.Bytes, "…"},
		{"日志很长", 2, message.Bytes, ""},
		{"日志很长", 3, message.Runes, "日志…"},
		{"🚀🚀", 7, message.Bytes, "🚀…"},
		{"a\"b\"c", 7, message.JSONBytes, "a…"},
		{"bad\xff", 6, message.Bytes, "bad\uFFFD"},
		{"x", 0, message.Bytes, ""},
	} {
		if got := message.Cut(tt.text, tt.limit, tt.size); got != tt.want {
			t.Errorf("%q to %d: %q, want %q", tt.text, tt.limit, got, tt.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("日志 log 🚀", 9)
	f.Add("\xff\xfe", 3)
	f.Add("<&>\"\\\n\x00", 10)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 5000
		for name, size := range map[string]message.Size{"bytes": message.Bytes, "runes": message.Runes, "JSON": message.JSONBytes} {
			got := message.Cut(s, limit, size)
			valid := strings.ToValidUTF8(s, "\uFFFD")
			if got != "" && size(got) > limit || !utf8.ValidString(got) {
				t.Fatalf("%s: %q to %d: %q has %d", name, s, limit, got, size(got))
			}
			if size(valid) <= limit {
				if got != valid {
					t.Fatalf("%s: %q had room, is %q", name, s, got)
				}
				continue
			}
			kept, cut := strings.CutSuffix(got, "…")
			if got != "" && (!cut || !strings.HasPrefix(valid, kept)) {
				t.Fatalf("%s: %q to %d: %q", name, s, limit, got)
			}
			// Not more is cut than must be.
			next, width := utf8.DecodeRuneInString(valid[len(kept):])
			if longer := kept + string(next) + "…"; width > 0 && got != "" && len(kept)+width < len(valid) && size(longer) <= limit {
				t.Fatalf("%s: %q to %d: %q, though %q has room", name, s, limit, got, longer)
			}
		}
	})
}

func part(n int, text string, limit int) message.Message {
	return message.Message{Form: "text", Title: fmt.Sprintf("[FIRING] %d", n), Text: text, Limit: limit, Size: message.Bytes, Users: []string{fmt.Sprint("u", n%2)}, Firing: n == 0}
}

func TestJoin(t *testing.T) {
	calls := func(m message.Message) string { return " @" + strings.Join(m.Users, " @") }
	for name, tt := range map[string]struct {
		ms   []message.Message
		n    int
		want string
	}{
		"one":             {[]message.Message{part(0, "a", 20)}, 1, "[FIRING] 0\na"},
		"in full":         {[]message.Message{part(0, "a", 100), part(1, "b", 100)}, 2, "2 notifications in one\n[FIRING] 0\na\n\n[FIRING] 1\nb"},
		"titles":          {[]message.Message{part(0, strings.Repeat("a", 80), 60), part(1, "b", 60)}, 2, "2 notifications in one\n- [FIRING] 0\n- [FIRING] 1"},
		"as many as fit":  {[]message.Message{part(0, strings.Repeat("a", 80), 50), part(1, "b", 50), part(2, "c", 50)}, 2, "2 notifications in one\n- [FIRING] 0\n- [FIRING] 1"},
		"no room at all":  {[]message.Message{part(0, "a", 12), part(1, "b", 12)}, 1, "[FIRING] 0\na"},
		"without a title": {[]message.Message{{Text: "a\nb", Limit: 40, Size: message.Bytes}, {Title: "t", Text: strings.Repeat("x", 40), Limit: 40, Size: message.Bytes}}, 2, "2 notifications in one\n- a\n- t"},
	} {
		t.Run(name, func(t *testing.T) {
			m, n := message.Join(tt.ms)
			if n != tt.n || m.Whole() != tt.want {
				t.Errorf("%d in %q", n, m.Whole())
			}
		})
	}
	a, b := part(0, strings.Repeat("a", 50), 56), part(1, "b", 56)
	a.Call, b.Call = calls, calls
	m, n := message.Join([]message.Message{a, b, part(2, "c", 56)})
	if n != 2 || !m.Firing || m.Full() != "2 notifications in one\n- [FIRING] 0\n- [FIRING] 1 @u0 @u1" {
		t.Errorf("%d in %q, %d bytes", n, m.Full(), len(m.Full()))
	}
}

func renderer(t *testing.T, language string, alerts ...*alert.Alert) message.Renderer {
	t.Helper()
	e := channeltest.Env(t, nil)
	if err := message.Define(e.Templates); err != nil {
		t.Fatal(err)
	}
	return message.New(channeltest.Context(t.Context(), "Lag"), e.Templates, language, e.Logger, alerts)
}

func TestShippedTemplates(t *testing.T) {
	alerts := []*alert.Alert{channeltest.Resolved("Lag", "was behind", "job", "old", "severity", "critical"), channeltest.Firing("Lag", "is behind", "job", "shop", "severity", "critical")}
	for _, language := range []string{"en", "zh"} {
		r := renderer(t, language, alerts...)
		for name, want := range map[string]string{"title": "critical", "text": "job=shop", "markdown": "**is behind**", "sms": "is behind", "voice": "is behind"} {
			got, err := r.Text(message.Shipped("weirflow."+name, language))
			if err != nil || !strings.Contains(got, want) {
				t.Errorf("%s in %s: %q (%v)", name, language, got, err)
			}
			if chinese := strings.ContainsAny(got, "告恢开这"); chinese != (language == "zh") {
				t.Errorf("%s in %s: %q", name, language, got)
			}
			if (name == "sms" || name == "voice") && (strings.Contains(got, "was behind") || strings.Contains(got, "\n")) {
				t.Errorf("%s in %s: %q", name, language, got)
			}
		}
	}
	// Without a language in its name a template is the English one.
	r := renderer(t, "en", alerts...)
	a, _ := r.Text(`{{ template "weirflow.text" . }}`)
	if b, _ := r.Text(message.Shipped("weirflow.text", "")); a != b || a == "" {
		t.Errorf("%q and %q", a, b)
	}
}

func TestUsersTemplatesStay(t *testing.T) {
	e := channeltest.Env(t, nil)
	if err := e.Templates.Parse(strings.NewReader(`{{ define "weirflow.title.en" }}{{ (index .Alerts 0).Labels.alertname }} of mine{{ end }}`)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // each channel does it
		if err := message.Define(e.Templates); err != nil {
			t.Fatal(err)
		}
	}
	r := message.New(channeltest.Context(t.Context(), "Lag"), e.Templates, "en", e.Logger, []*alert.Alert{channeltest.Firing("Lag", "x")})
	if got, err := r.Line(message.Shipped("weirflow.title", "en")); got != "Lag of mine" {
		t.Errorf("%q (%v)", got, err)
	}
}

func TestFit(t *testing.T) {
	var alerts []*alert.Alert
	for i := range 30 {
		alerts = append(alerts, channeltest.Firing("Lag", fmt.Sprintf("<%02d>", i)))
	}
	const each = `{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}`
	for name, tt := range map[string]struct {
		alerts []*alert.Alert
		limit  int
		want   string
	}{
		"all":  {alerts[:3], 12, "<00><01><02>"},
		"some": {alerts, 20, "<00><01>\n… 28 more"},
		"none": {[]*alert.Alert{channeltest.Firing("Lag", strings.Repeat("日", 20)), alerts[0]}, 20, "日日…\n… 1 more"},
		"cut":  {[]*alert.Alert{channeltest.Firing("Lag", strings.Repeat("日", 20))}, 20, "日日日日日…"},
	} {
		got, err := renderer(t, "en", tt.alerts...).Fit(each, tt.limit, message.Bytes)
		if err != nil || got != tt.want || len(got) > tt.limit {
			t.Errorf("%s: %q (%v)", name, got, err)
		}
	}
	if _, err := renderer(t, "en", alerts...).Fit("{{ nonsense }}", 10, message.Bytes); err == nil {
		t.Error("a template that is none passes")
	}
	if _, err := renderer(t, "en", alerts...).Fit(`{{ range .Alerts }}aaaaaaaaaa{{ end }}{{ index .Alerts 29 }}`, 10, message.Bytes); err == nil {
		t.Error("a template that fails with fewer alerts passes")
	}
}
