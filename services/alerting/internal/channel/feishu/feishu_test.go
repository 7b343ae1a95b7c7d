package feishu_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/alert"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/feishu"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
)

const secret = "demo"

// bot checks as Feishu's does.
type bot struct {
	t       *testing.T
	mu      sync.Mutex
	times   []time.Time
	refused int
	took    []sent
	next    []func(http.ResponseWriter)
}

type sent struct {
	MsgType string                `json:"msg_type"`
	Content struct{ Text string } `json:"content"`
	Card    struct {
		Header struct {
			Title    struct{ Tag, Content string }
			Template string
		}
		Elements []struct {
			Tag, Content string
			Actions      []struct{ URL string }
		}
	} `json:"card"`
	Timestamp, Sign string
}

func (s sent) text() string {
	if s.MsgType == "text" {
		return s.Content.Text
	}
	if len(s.Card.Elements) == 0 {
		return ""
	}
	return s.Card.Header.Title.Content + "\n" + s.Card.Elements[0].Content
}

func (b *bot) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body := channeltest.Body(b.t, q)
	say := func(code int, text string) { _, _ = fmt.Fprintf(w, `{"code":%d,"msg":%q,"data":{}}`, code, text) }
	if len(b.next) > 0 {
		answer := b.next[0]
		b.next = b.next[1:]
		answer(w)
		return
	}
	if len(body) > 20<<10 {
		say(9499, "Bad Request")
		return
	}
	now := time.Now()
	for len(b.times) > 0 && now.Sub(b.times[0]) >= time.Minute {
		b.times = b.times[1:]
	}
	n := len(b.times)
	if n >= 100 || n >= 5 && now.Sub(b.times[n-5]) < time.Second {
		b.refused++
		say(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
		return
	}
	b.times = append(b.times, now)
	var s sent
	if err := json.Unmarshal(body, &s); err != nil || s.text() == "" {
		say(9499, "Bad Request")
		return
	}
	h := hmac.New(sha256.New, []byte(s.Timestamp+"\n"+secret))
	if s.Sign != base64.StdEncoding.EncodeToString(h.Sum(nil)) || len(s.Timestamp) != 10 && now.Year() > 2001 {
		say(19021, "sign match fail or timestamp is not within one hour from current time")
		return
	}
	b.took = append(b.took, s)
	say(0, "success")
}

const config = "url: http://bot.example/open-apis/bot/v2/hook/3f1c-key\nsecret: " + secret + "\n"

func TestTypes(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		alert  *alert.Alert
		check  func(s sent) bool
	}{
		"text": {"message_type: text\nmention_users: [all, 'ou_1', '{{ .CommonLabels.owner }}']", channeltest.Firing("Lag", "behind", "owner", `ou_2"><x`), func(s sent) bool {
			return strings.HasPrefix(s.Content.Text, "[FIRING 1] Lag\n- behind") && strings.HasSuffix(s.Content.Text, ` <at user_id="all"></at> <at user_id="ou_1"></at> <at user_id="ou_2x"></at>`)
		}},
		"card": {"mention_users: [all]", channeltest.Firing("Lag", "behind"), func(s sent) bool {
			c := s.Card
			return c.Header.Title.Content == "[FIRING 1] Lag" && c.Header.Template == "red" && strings.HasPrefix(c.Elements[0].Content, "- **behind**") &&
				strings.HasSuffix(c.Elements[0].Content, " <at id=all></at>") && strings.HasPrefix(c.Elements[1].Actions[0].URL, "http://console.example/alerts?fingerprint=")
		}},
		"the end": {"language: zh\nmention_users: [all]", channeltest.Resolved("Lag", "behind"), func(s sent) bool {
			return s.Card.Header.Title.Content == "【恢复】Lag" && s.Card.Header.Template == "green" && !strings.Contains(s.text(), "<at")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bot{t: t}
			n := channeltest.Open(t, feishu.New(pace.NewGates())(), config+tt.config, channeltest.Env(t, channeltest.Direct(b)))
			if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), tt.alert); again || err != nil {
				t.Fatal(again, err)
			}
			if len(b.took) != 1 || !tt.check(b.took[0]) {
				t.Errorf("took %+v", b.took)
			}
		})
	}
}

func TestLongMessagesFit(t *testing.T) {
	b := &bot{t: t}
	n := channeltest.Open(t, feishu.New(pace.NewGates())(), config, channeltest.Env(t, channeltest.Direct(b)))
	if _, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", strings.Repeat("\x01<日\"\\", 8000))); err != nil {
		t.Error(err)
	}
	if len(b.took) != 1 || len(b.took[0].text()) < 5000 {
		t.Errorf("took %d", len(b.took))
	}
}

func TestFailures(t *testing.T) {
	answer := func(status int, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}
	}
	for name, tt := range map[string]struct {
		config string
		answer func(http.ResponseWriter)
		again  bool
		want   string
	}{
		"signature":   {"url: http://bot.example/hook/3f1c-key", nil, false, "19021"},
		"keyword":     {config, answer(200, `{"code":19024,"msg":"Key Words Not Found"}`), false, "Key Words Not Found"},
		"address":     {config, answer(200, `{"code":19022,"msg":"Ip Not Allowed"}`), false, "19022"},
		"bad request": {config, answer(400, `{"code":9499,"msg":"Bad Request"}`), false, "9499"},
		"limited":     {config, answer(400, `{"code":11232,"msg":"frequency limited"}`), true, "11232"},
		"too many":    {config, answer(429, ``), true, "429"},
		"old form":    {config, answer(200, `{"StatusCode":19001,"StatusMessage":"param invalid"}`), false, "param invalid"},
		"no code":     {config, answer(200, `{}`), true, "no code"},
		"broken":      {config, answer(500, `x`), true, "500"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bot{t: t}
			if tt.answer != nil {
				b.next = append(b.next, tt.answer)
			}
			n := channeltest.Open(t, feishu.New(pace.NewGates())(), tt.config, channeltest.Env(t, channeltest.Direct(b)))
			again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x"))
			if again != tt.again || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "3f1c") {
				t.Errorf("again %v, error %v", again, err)
			}
		})
	}
	// The old form of success.
	b := &bot{t: t, next: []func(http.ResponseWriter){answer(200, `{"Extra":null,"StatusCode":0,"StatusMessage":"success"}`)}}
	n := channeltest.Open(t, feishu.New(pace.NewGates())(), config, channeltest.Env(t, channeltest.Direct(b)))
	if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x")); again || err != nil {
		t.Error(again, err)
	}
}

func TestAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bot{t: t}
		n := channeltest.Open(t, feishu.New(pace.NewGates())(), config, channeltest.Env(t, channeltest.Direct(b)))
		var all sync.WaitGroup
		const groups = 1000
		for i := range groups {
			all.Go(func() {
				if _, err := n.Notify(channeltest.Context(t.Context(), fmt.Sprint("Alert", i, ".")), channeltest.Firing(fmt.Sprint("Alert", i, "."), "x")); err != nil {
					t.Error(err)
				}
			})
			if i%10 == 0 {
				time.Sleep(100 * time.Millisecond)
			}
		}
		all.Wait()
		var told strings.Builder
		for _, s := range b.took {
			told.WriteString(s.text())
		}
		for i := range groups {
			if c := strings.Count(told.String(), fmt.Sprint("] Alert", i, ".")); c != 1 {
				t.Errorf("%d is told %d times", i, c)
			}
		}
		if b.refused > 0 {
			t.Errorf("%d messages came too often", b.refused)
		}
	})
}

func TestConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"url: https://x.example": "", "url_file: /x": "", "{}": "url or url_file is required", "{url: 'https://x.example', message_type: post}": "neither text nor interactive",
		"{url: 'https://x.example', secret: s, secret_file: /x}": "exclude", "{url: 'https://x.example', language: de}": "neither en nor zh",
	} {
		c := feishu.New(pace.NewGates())()
		if err := yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
