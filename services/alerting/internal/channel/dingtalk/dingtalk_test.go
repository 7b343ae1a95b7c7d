package dingtalk_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/alert"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/dingtalk"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
)

const (
	token  = "566cc69da782ec33"
	secret = "SECabc"
)

// robot checks as DingTalk's does.
type robot struct {
	t     *testing.T
	mu    sync.Mutex
	times []time.Time
	// shut is until when nothing is taken, since too much came.
	shut    time.Time
	refused int
	took    []sent
	next    []string
}

type sent struct {
	MsgType    string                       `json:"msgtype"`
	Text       struct{ Content string }     `json:"text"`
	Markdown   struct{ Title, Text string } `json:"markdown"`
	ActionCard struct {
		Title, Text, SingleTitle, SingleURL string
	} `json:"actionCard"`
	At struct {
		AtMobiles, AtUserIds []string
		IsAtAll              bool
	} `json:"at"`
}

func (r *robot) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := channeltest.Body(r.t, q)
	say := func(code int, text string) { _, _ = fmt.Fprintf(w, `{"errcode":%d,"errmsg":%q}`, code, text) }
	if len(r.next) > 0 {
		_, _ = w.Write([]byte(r.next[0]))
		r.next = r.next[1:]
		return
	}
	if q.URL.Query().Get("access_token") != token {
		say(300001, "token is not exist")
		return
	}
	stamp := q.URL.Query().Get("timestamp")
	ms, _ := strconv.ParseInt(stamp, 10, 64)
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(h, "%s\n%s", stamp, secret)
	if q.URL.Query().Get("sign") != base64.StdEncoding.EncodeToString(h.Sum(nil)) || time.Since(time.UnixMilli(ms)).Abs() > time.Hour {
		say(310000, "sign not match, more: [https://ding-doc.dingtalk.com]")
		return
	}
	now := time.Now()
	for len(r.times) > 0 && now.Sub(r.times[0]) >= time.Minute {
		r.times = r.times[1:]
	}
	if len(r.times) >= 20 {
		r.shut = now.Add(10 * time.Minute)
	}
	if now.Before(r.shut) {
		r.refused++
		say(130101, "send too fast, exceed 20 times per minute")
		return
	}
	r.times = append(r.times, now)
	var s sent
	if err := json.Unmarshal(b, &s); err != nil {
		say(40035, "缺少参数 json")
		return
	}
	if len(b) > 20000 {
		say(460101, "message too long, exceed 20000 bytes")
		return
	}
	if s.Text.Content+s.Markdown.Text+s.ActionCard.Text == "" {
		say(400101, "message content is empty")
		return
	}
	r.took = append(r.took, s)
	say(0, "ok")
}

const config = "url: http://robot.example/robot/send?access_token=" + token + "\nsecret: " + secret + "\n"

func TestTypes(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		check  func(s sent) bool
	}{
		"text": {"message_type: text\nmention_mobiles: ['13800138000', all]\nmention_users: [manager1]", func(s sent) bool {
			return s.MsgType == "text" && strings.HasPrefix(s.Text.Content, "[FIRING 1] Lag\n- behind") && strings.HasSuffix(s.Text.Content, " @manager1 @13800138000") &&
				s.At.IsAtAll && fmt.Sprint(s.At.AtMobiles, s.At.AtUserIds) == "[13800138000] [manager1]"
		}},
		"markdown": {"", func(s sent) bool {
			return s.MsgType == "markdown" && s.Markdown.Title == "[FIRING 1] Lag" && strings.HasPrefix(s.Markdown.Text, "**[FIRING 1] Lag**\n\n- **behind**") && !s.At.IsAtAll
		}},
		"card": {"message_type: actionCard\nlanguage: zh", func(s sent) bool {
			return s.MsgType == "actionCard" && s.ActionCard.Title == "【告警 1】Lag" && s.ActionCard.SingleTitle == "查看" && strings.HasPrefix(s.ActionCard.SingleURL, "http://console.example/alerts?fingerprint=")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &robot{t: t}
			n := channeltest.Open(t, dingtalk.New(pace.NewGates())(), config+tt.config, channeltest.Env(t, channeltest.Direct(r)))
			if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "behind")); again || err != nil {
				t.Fatal(again, err)
			}
			if len(r.took) != 1 || !tt.check(r.took[0]) {
				t.Errorf("took %+v", r.took)
			}
		})
	}
}

func TestLongMessagesFit(t *testing.T) {
	r := &robot{t: t}
	n := channeltest.Open(t, dingtalk.New(pace.NewGates())(), config, channeltest.Env(t, channeltest.Direct(r)))
	var many []*alert.Alert
	for i := range 500 {
		many = append(many, channeltest.Firing("Lag", "落后 \"两\" 分钟", "host", fmt.Sprint("web", i)))
	}
	for name, alerts := range map[string][]*alert.Alert{"many": many, "long": {channeltest.Firing("Lag", strings.Repeat("\x01<日\"\\", 8000))}} {
		if _, err := n.Notify(channeltest.Context(t.Context(), name), alerts...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(r.took) != 2 {
		t.Fatalf("took %d", len(r.took))
	}
}

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		config, answer string
		again          bool
		want           string
	}{
		"signature":  {"url: http://robot.example/robot/send?access_token=" + token + "\nsecret: SECwrong", "", false, "310000"},
		"no secret":  {"url: http://robot.example/robot/send?access_token=" + token, "", false, "310000"},
		"token":      {"url: http://robot.example/robot/send?access_token=other\nsecret: " + secret, "", false, "300001"},
		"keyword":    {config, `{"errcode":310000,"errmsg":"keywords not in content"}`, false, "keywords not in content"},
		"too fast":   {config, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`, true, "130101"},
		"throttled":  {config, `{"errcode":410100,"errmsg":"too fast"}`, true, "410100"},
		"busy":       {config, `{"errcode":-1,"errmsg":"system busy"}`, true, "busy"},
		"no errcode": {config, `{"success":true}`, true, "no errcode"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &robot{t: t}
			if tt.answer != "" {
				r.next = []string{tt.answer}
			}
			n := channeltest.Open(t, dingtalk.New(pace.NewGates())(), tt.config, channeltest.Env(t, channeltest.Direct(r)))
			again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x"))
			if again != tt.again || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
				t.Errorf("again %v, error %v", again, err)
			}
		})
	}
}

// TestAStorm has more groups fire than the robot takes, which shuts for ten minutes once
// somebody else used it, too.
func TestAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &robot{t: t}
		n := channeltest.Open(t, dingtalk.New(pace.NewGates())(), config, channeltest.Env(t, channeltest.Direct(r)))
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				for {
					ctx, cancel := context.WithTimeout(channeltest.Context(t.Context(), fmt.Sprint("Alert", i, ".")), time.Minute)
					again, err := n.Notify(ctx, channeltest.Firing(fmt.Sprint("Alert", i, "."), "x"))
					cancel()
					if err == nil {
						return
					}
					if !again {
						t.Error(err)
						return
					}
					time.Sleep(time.Second)
				}
			})
			if i == 50 {
				r.mu.Lock()
				r.shut = time.Now().Add(10 * time.Minute)
				r.mu.Unlock()
			}
			time.Sleep(100 * time.Millisecond)
		}
		all.Wait()
		var told strings.Builder
		for _, s := range r.took {
			told.WriteString(s.Markdown.Text)
		}
		for i := range 100 {
			if c := strings.Count(told.String(), fmt.Sprint("] Alert", i, ".")); c != 1 {
				t.Errorf("%d is told %d times", i, c)
			}
		}
		if r.refused != 1 {
			t.Errorf("%d messages were refused: the first says to wait", r.refused)
		}
	})
}

func TestConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"access_token: k": "", "access_token_file: /x": "", "{}": "access_token or access_token_file is required",
		"{url: 'https://x.example', access_token: k}": "exclude each other", "{access_token: k, message_type: link}": "none of text",
		"{access_token: k, secret: s, secret_file: /x}": "exclude", "{access_token: k, message_type: actionCard, mention_users: [a]}": "calls nobody",
	} {
		c := dingtalk.New(pace.NewGates())()
		if err := yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	c := dingtalk.New(pace.NewGates())()
	if err := yaml.Unmarshal([]byte("url: 'ftp://s3cret'"), c); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Open(channeltest.Env(t, http.DefaultClient)); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Error(err)
	}
}

func TestOverTheNetwork(t *testing.T) {
	r := &robot{t: t}
	s := httptest.NewServer(r)
	defer s.Close()
	n := channeltest.Open(t, dingtalk.New(pace.NewGates())(), "url: "+s.URL+"/robot/send?access_token="+token+"\nsecret: "+secret, channeltest.Env(t, s.Client()))
	if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x")); again || err != nil || len(r.took) != 1 {
		t.Error(again, err)
	}
}
