package twilio_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/twilio"
)

const token = "t0ken"

// service checks as Twilio does.
type service struct {
	t    *testing.T
	had  []string
	last map[string]string
	// fail are statuses for numbers, of which one is used at each try.
	fail map[string][]int
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	say := func(status, code int, text string) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"code":%d,"message":%q,"more_info":"https://www.twilio.com/docs/errors/%d","status":%d}`, code, text, code, status)
	}
	user, password, _ := r.BasicAuth()
	if user != "AC1" && user != "SK1" || password != token {
		say(401, 20003, "Authenticate")
		return
	}
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	to := r.PostForm.Get("To")
	if codes := s.fail[to]; len(codes) > 0 {
		s.fail[to] = codes[1:]
		say(codes[0], 20000+codes[0], "no")
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /2010-04-01/Accounts/AC1/Messages.json":
		if utf8.RuneCountInString(r.PostForm.Get("Body")) > 1600 {
			say(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
			return
		}
		if r.PostForm.Get("From") == "" && r.PostForm.Get("MessagingServiceSid") == "" {
			say(400, 21603, "A 'From' phone number is required.")
			return
		}
	case "POST /2010-04-01/Accounts/AC1/Calls.json":
		var script struct {
			Say struct {
				Language string `xml:"language,attr"`
				Loop     int    `xml:"loop,attr"`
				Text     string `xml:",chardata"`
			}
		}
		if err := xml.Unmarshal([]byte(r.PostForm.Get("Twiml")), &script); err != nil || len(r.PostForm.Get("Twiml")) > 4000 {
			say(400, 21205, "Url is not valid")
			return
		}
		r.PostForm.Set("said", fmt.Sprint(script.Say.Language, " ", script.Say.Loop, " ", script.Say.Text))
	default:
		say(404, 20404, "The requested resource was not found")
		return
	}
	s.had = append(s.had, to)
	s.last = make(map[string]string)
	for k := range r.PostForm {
		s.last[k] = r.PostForm.Get(k)
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(`{"sid":"SM1","status":"queued"}`))
}

func account(endpoint string) string {
	return "endpoint: " + endpoint + "\naccount_sid: AC1\nauth_token: " + token + "\nto: ['+12025550101', '+12025550102', '13800138000']\n"
}

func TestOnlyWhoFailedIsTriedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		c      channel.Config
		config string
		check  func(map[string]string) bool
	}{
		"text": {twilio.NewSMS(receipt.NewBook())(), "from: '+12025550000'", func(f map[string]string) bool {
			return f["From"] == "+12025550000" && f["Body"] == "[FIRING 1] Lag: 1 < 2 & more"
		}},
		"by a service": {twilio.NewSMS(receipt.NewBook())(), "messaging_service_sid: MG1\napi_key_sid: SK1", func(f map[string]string) bool { return f["MessagingServiceSid"] == "MG1" && f["From"] == "" }},
		"call": {twilio.NewCall(receipt.NewBook())(), "from: '+12025550000'\nlanguage: zh\nloop: 3", func(f map[string]string) bool {
			return strings.HasPrefix(f["said"], "zh-CN 3 这里是 Weirflow") && strings.HasSuffix(f["said"], "1 < 2 & more")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := &service{t: t, fail: map[string][]int{"+12025550102": {429, 503}, "+8613800138000": {500}}}
			s := httptest.NewServer(h)
			defer s.Close()
			n := channeltest.Open(t, tt.c, account(s.URL)+tt.config, channeltest.Env(t, s.Client()))
			a := channeltest.Firing("Lag", "1 < 2 & more")
			for i, want := range []string{"[+12025550101]", "[+12025550101 +8613800138000]", "[+12025550101 +8613800138000 +12025550102]"} {
				again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), a)
				if again != (i < 2) || (err == nil) != (i == 2) || fmt.Sprint(h.had) != want {
					t.Fatalf("try %d: again %v, %v, had %v", i, again, err, h.had)
				}
			}
			if !tt.check(h.last) {
				t.Errorf("sent %v", h.last)
			}
			if tt.c.SendResolved() {
				t.Error("the end is told by default")
			}
		})
	}
}

func TestLongTextsFit(t *testing.T) {
	h := &service{t: t}
	s := httptest.NewServer(h)
	defer s.Close()
	for _, c := range []channel.Config{twilio.NewSMS(receipt.NewBook())(), twilio.NewCall(receipt.NewBook())()} {
		n := channeltest.Open(t, c, account(s.URL)+"from: '+12025550000'", channeltest.Env(t, s.Client()))
		for _, text := range []string{strings.Repeat("x", 9000), strings.Repeat("<&>\"'", 2000), strings.Repeat("日", 9000)} {
			if _, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", text)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	h := &service{t: t, fail: map[string][]int{"+12025550101": {400}}}
	s := httptest.NewServer(h)
	defer s.Close()
	for name, tt := range map[string]struct{ config, want string }{
		"password": {"auth_token: wrong\nto: ['+12025550102']\n", "401"},
		"number":   {"auth_token: " + token + "\nto: ['+12025550101']\n", "20400"},
	} {
		n := channeltest.Open(t, twilio.NewSMS(receipt.NewBook())(), "endpoint: "+s.URL+"\naccount_sid: AC1\nfrom: '+12025550000'\n"+tt.config, channeltest.Env(t, s.Client()))
		again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x"))
		if again || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: again %v, %v", name, again, err)
		}
	}
}

func TestConfiguration(t *testing.T) {
	good := account("https://api.example")
	for text, want := range map[string]string{
		good + "from: '+1'": "", good: "one of from", good + "from: '+1'\nmessaging_service_sid: MG1": "one of from", "from: '+1'": "account_sid is required",
		good + "from: '+1'\napi_key_sid: AC": "begins with SK",
	} {
		c := twilio.NewSMS(receipt.NewBook())()
		if err := yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{good: "from is required", good + "from: '+1'\nloop: 0": "loop must be"} {
		c := twilio.NewCall(receipt.NewBook())()
		if err := yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
