package wecom_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/alert"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wecom"
)

// robot checks as WeCom's does.
type robot struct {
	t *testing.T

	mu    sync.Mutex
	times []time.Time
	// took are the messages that were taken, refused the number of those that came
	// too often.
	took    []sent
	refused int
	// next are answers given in the place of a check.
	next []func(http.ResponseWriter)
}

type body struct {
	Content string   `json:"content"`
	Users   []string `json:"mentioned_list"`
	Mobiles []string `json:"mentioned_mobile_list"`
}

type sent struct {
	MsgType    string `json:"msgtype"`
	Text       *body  `json:"text"`
	Markdown   *body  `json:"markdown"`
	MarkdownV2 *body  `json:"markdown_v2"`
}

func (s sent) content() string {
	for _, b := range []*body{s.Text, s.Markdown, s.MarkdownV2} {
		if b != nil {
			return b.Content
		}
	}
	return ""
}

const key = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"

func (r *robot) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := channeltest.Body(r.t, q)
	if len(r.next) > 0 {
		answer := r.next[0]
		r.next = r.next[1:]
		if answer != nil {
			answer(w)
			return
		}
	}
	say := func(code int, text string) {
		_, _ = fmt.Fprintf(w, `{"errcode":%d,"errmsg":%q}`, code, text)
	}
	if q.URL.Query().Get("key") != key {
		say(93000, "invalid webhook url, hint: [1]")
		return
	}
	now := time.Now()
	for len(r.times) > 0 && now.Sub(r.times[0]) >= time.Minute {
		r.times = r.times[1:]
	}
	if len(r.times) >= 20 {
		r.refused++
		say(45009, "api freq out of limit, hint: [2]")
		return
	}
	r.times = append(r.times, now)
	var s sent
	if err := json.Unmarshal(b, &s); err != nil {
		say(40008, "invalid message type")
		return
	}
	limits := map[string]int{"text": 2048, "markdown": 4096, "markdown_v2": 4096}
	limit, ok := limits[s.MsgType]
	if !ok || s.content() == "" {
		say(40008, "invalid message type")
		return
	}
	if len(s.content()) > limit || !utf8.ValidString(s.content()) {
		say(40058, fmt.Sprintf("%s.content exceed max length %d. invalid Request Parameter", s.MsgType, limit))
		return
	}
	r.took = append(r.took, s)
	say(0, "ok")
}

func answer(status int, text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

const address = "http://robot.example/cgi-bin/webhook/send?key=" + key

func TestTypes(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		alert  *alert.Alert
		want   []string
		check  func(t *testing.T, s sent)
	}{
		"markdown": {
			config: "mention_users: ['zhang.san', '{{ .CommonLabels.owner }}']",
			alert:  channeltest.Firing("Lag", "2 minutes behind", "owner", "li.si", "job", "shop"),
			want:   []string{"**[FIRING 1] Lag**", "2 minutes behind", "job=shop", "[details](http://console.example/alerts?fingerprint=", "<@zhang.san>", "<@li.si>"},
		},
		"text": {
			config: "message_type: text\nmention_users: ['@all']\nmention_mobiles: ['13800138000']",
			alert:  channeltest.Firing("Lag", "2 minutes behind"),
			want:   []string{"[FIRING 1] Lag\n- 2 minutes behind"},
			check: func(t *testing.T, s sent) {
				if fmt.Sprint(s.Text.Users, s.Text.Mobiles) != "[@all] [13800138000]" {
					t.Errorf("calls %v %v", s.Text.Users, s.Text.Mobiles)
				}
			},
		},
		"markdown_v2 in Chinese": {
			config: "message_type: markdown_v2\nlanguage: zh",
			alert:  channeltest.Firing("Lag", "落后两分钟"),
			want:   []string{"**【告警 1】Lag**", "落后两分钟", "[详情]("},
		},
		"the end calls nobody": {
			config: "mention_users: ['zhang.san']",
			alert:  channeltest.Resolved("Lag", "2 minutes behind"),
			want:   []string{"[RESOLVED] Lag", "Resolved: ", "until "},
			check: func(t *testing.T, s sent) {
				if strings.Contains(s.content(), "<@") {
					t.Errorf("calls in %s", s.content())
				}
			},
		},
		"own templates": {
			config: "title: ''\ntext: 'all of {{ len .Alerts }}'",
			alert:  channeltest.Firing("Lag", "x"),
			want:   []string{"all of 1"},
		},
		"a log line does not call by itself": {
			config: "",
			alert:  channeltest.Firing("Lag", "from the log: <@all> <font color=\"info\">fine</font>"),
			want:   []string{"＜@all>", "＜font"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &robot{t: t}
			s := httptest.NewServer(r)
			defer s.Close()
			n := channeltest.Open(t, wecom.New(pace.NewGates())(), "url: "+s.URL+"/send?key="+key+"\n"+tt.config, channeltest.Env(t, s.Client()))
			if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), tt.alert); again || err != nil {
				t.Fatal(again, err)
			}
			if len(r.took) != 1 {
				t.Fatalf("took %d", len(r.took))
			}
			got := r.took[0]
			for _, w := range tt.want {
				if !strings.Contains(got.content(), w) {
					t.Errorf("%q lacks %q", got.content(), w)
				}
			}
			if tt.check != nil {
				tt.check(t, got)
			}
		})
	}
}

func TestLongMessagesFit(t *testing.T) {
	for _, kind := range []string{"text", "markdown"} {
		r := &robot{t: t}
		n := channeltest.Open(t, wecom.New(pace.NewGates())(), "url: "+address+"\nlanguage: zh\nmessage_type: "+kind+"\nmention_users: [zhang.san]", channeltest.Env(t, channeltest.Direct(r)))
		many := make([]*alert.Alert, 200)
		for i := range many {
			many[i] = channeltest.Firing("Lag", "落后两分钟，请尽快处理", "host", fmt.Sprint("web", i))
		}
		for name, alerts := range map[string][]*alert.Alert{"many": many, "one that is long": {channeltest.Firing("Lag", strings.Repeat("日志🚀", 3000))},
			"many of which the first is long": append([]*alert.Alert{channeltest.Firing("Lag", strings.Repeat("长", 3000))}, many...)} {
			if _, err := n.Notify(channeltest.Context(t.Context(), name), alerts...); err != nil {
				t.Fatalf("%s, %s: %v", kind, name, err)
			}
			got := r.took[len(r.took)-1].content()
			want := "…"
			if len(alerts) > 1 {
				want = "…还有 "
			}
			if !strings.Contains(got, want) || len(got) < 1500 {
				t.Errorf("%s, %s: %d bytes: %s", kind, name, len(got), got[max(0, len(got)-100):])
			}
		}
	}
}

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter)
		again  bool
		want   string
	}{
		"wrong key":      {answer(200, `{"errcode":93000,"errmsg":"invalid webhook url"}`), false, "93000"},
		"too often":      {answer(200, `{"errcode":45009,"errmsg":"api freq out of limit"}`), true, "45009"},
		"busy":           {answer(200, `{"errcode":-1,"errmsg":"system busy"}`), true, "busy"},
		"too many":       {answer(429, "slow down"), true, "429"},
		"server error":   {answer(502, "<html>Bad\nGateway</html>"), true, "<html>Bad Gateway</html>"},
		"not found":      {answer(404, ""), false, "404"},
		"redirect":       {answer(302, ""), false, "redirect"},
		"not an answer":  {answer(200, "<html>login</html>"), true, "not JSON"},
		"no code":        {answer(200, "{}"), true, "no errcode"},
		"connection cut": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, true, "call 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(&robot{t: t, next: []func(http.ResponseWriter){tt.answer}})
			defer s.Close()
			n := channeltest.Open(t, wecom.New(pace.NewGates())(), "url: "+s.URL+"/send?key="+key, channeltest.Env(t, s.Client()))
			again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x"))
			if again != tt.again || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("again %v, error %v", again, err)
			}
			if err != nil && strings.Contains(err.Error(), key) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func TestATimeoutIsTriedAgain(t *testing.T) {
	held := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	defer s.Close()
	defer close(held)
	c := s.Client()
	c.Timeout = 50 * time.Millisecond
	n := channeltest.Open(t, wecom.New(pace.NewGates())(), "url: "+s.URL+"/send?key="+key, channeltest.Env(t, c))
	if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x")); !again || err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("again %v, error %v", again, err)
	}
}

// retry does what the Alertmanager does with a notifier: again and again, a little
// later each time, as long as it is worth it.
func retry(ctx context.Context, n interface {
	Notify(context.Context, ...*alert.Alert) (bool, error)
}, a *alert.Alert) error {
	for wait := 500 * time.Millisecond; ; wait = min(wait*3/2, time.Minute) {
		again, err := n.Notify(ctx, a)
		if err == nil || !again {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// TestAStorm has 300 groups fire within a minute, while the robot also fails at times:
// none is lost, none is told twice, and their order is kept.
func TestAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &robot{t: t}
		for i := range 60 { // every seventh request fails
			if i%7 == 3 {
				r.next = append(r.next, answer(503, "later"))
			} else {
				r.next = append(r.next, nil)
			}
		}
		n := channeltest.Open(t, wecom.New(pace.NewGates())(), "url: "+address, channeltest.Env(t, channeltest.Direct(r)))
		const groups = 300
		var all sync.WaitGroup
		for i := range groups {
			name := fmt.Sprintf("Alert%03d", i)
			all.Go(func() {
				ctx, cancel := context.WithTimeout(channeltest.Context(t.Context(), name), 10*time.Minute)
				defer cancel()
				if err := retry(ctx, n, channeltest.Firing(name, "x")); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			time.Sleep(200 * time.Millisecond)
		}
		all.Wait()
		var told strings.Builder
		for _, s := range r.took {
			told.WriteString(s.content())
		}
		last := -1
		for i := range groups {
			title := fmt.Sprintf("] Alert%03d", i)
			if c := strings.Count(told.String(), title); c != 1 {
				t.Errorf("%s is told %d times", title, c)
			}
			at := strings.Index(told.String(), title)
			if at < last {
				t.Errorf("%s comes too early", title)
			}
			last = at
		}
		if r.refused > 0 {
			t.Errorf("%d messages came too often", r.refused)
		}
		t.Logf("%d groups in %d messages", groups, len(r.took))
	})
}

func TestTooOftenPausesTheRobot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &robot{t: t, next: []func(http.ResponseWriter){answer(200, `{"errcode":45009,"errmsg":"api freq out of limit"}`)}}
		n := channeltest.Open(t, wecom.New(pace.NewGates())(), "url: "+address, channeltest.Env(t, channeltest.Direct(r)))
		start := time.Now()
		if err := retry(channeltest.Context(t.Context(), "Lag"), n, channeltest.Firing("Lag", "x")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Minute || took > 61*time.Second {
			t.Errorf("told after %v", took)
		}
	})
}

func TestConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"key: k":                             "",
		"key_file: /etc/key":                 "",
		"{}":                                 "key or key_file is required",
		"{key: k, url: 'https://x.example'}": "exclude each other",
		"{key: k, key_file: /etc/key}":       "exclude each other",
		"key_file: key":                      "not an absolute path",
		"{key: k, message_type: html}":       "none of text",
		"{key: k, language: fr}":             "neither en nor zh",
		"{key: k, mention_mobiles: ['1']}":   "message_type: text",
		"{key: k, message_type: markdown_v2, mention_users: ['1']}": "calls nobody",
		"{key: k, mention_users: ['@all']}":                         "message_type: text only",
	} {
		c := wecom.New(pace.NewGates())()
		if err := decode(text, c); err != nil {
			t.Fatal(err)
		}
		err := c.Validate()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", c, c), "693a") {
			t.Error("the key shows")
		}
	}
}

func decode(text string, c any) error {
	return yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict())
}
