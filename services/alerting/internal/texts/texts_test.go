package texts_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/channels"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
	"github.com/weirflow/weirflow/services/alerting/internal/texts"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// hook notes what it is sent, and fails where its path says so.
type hook struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, r.URL.Path+" "+string(b))
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.got, ";")
}

type running struct {
	texts.Server
	mu   sync.Mutex
	sent []notify.Delivery
}

func start(t *testing.T, cfg kafka.Config, config string, contact func(rota, kind string, other ...string) (string, error)) (*running, func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	guard, err := outgoing.New([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := texts.NewBook(cfg, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{}
	e, err := notify.New(notify.Config{Dir: filepath.Join(dir, "state"), File: file, ExternalURL: "http://console.example"}, notify.Deps{Logger: log, Registry: prometheus.NewRegistry(), Guard: guard,
		Channels: channels.All(), Texts: b.Texts, Contact: contact, Known: []<-chan struct{}{b.Known()}, Sent: func(d notify.Delivery) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.sent = append(r.sent, d)
		}})
	if err != nil {
		t.Fatal(err)
	}
	r.Server = texts.Server{Book: b, Engine: e, Logger: log, Now: time.Now}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- e.Run(ctx) }()
	go func() { done <- b.Run(ctx, e.Refresh) }()
	eventually(t, "the templates are known", func() bool { _, err := r.ListTemplates(ctx, nil); return err == nil })
	return r, func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 20 s", what)
}

func put(t *testing.T, s *running, name, channel, language, text string) *alertv1.Template {
	t.Helper()
	res, err := s.PutTemplate(t.Context(), &alertv1.PutTemplateRequest{Template: &alertv1.Template{Name: name, Channel: channel, Language: language, Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetTemplate()
}

func raise(t *testing.T, s *running, name string) string {
	t.Helper()
	a := &alert.Alert{UpdatedAt: time.Now()}
	a.Labels, a.Annotations = model.LabelSet{"alertname": model.LabelValue(name)}, model.LabelSet{"summary": "it is"}
	a.StartsAt, a.EndsAt = time.Now(), time.Now().Add(time.Hour)
	if err := s.Engine.Put(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a.Fingerprint().String()
}

const routed = "route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}\n"

func TestTemplatesAreUsedAndSurvive(t *testing.T) {
	cfg, h := kafkatest.Start(t), newHook(t)
	config := routed + "receivers:\n- name: hook\n  http_configs: [{url: '" + h.URL + "', body: '{{ template \"shop.sms.zh\" . }}'}]\n"
	on := func(rota, kind string, _ ...string) (string, error) { return rota + "'s " + kind, nil }
	s, stop := start(t, cfg, config, on)
	made := put(t, s, "shop", "sms", "zh", `告警 {{ .CommonLabels.alertname }} {{ oncall "ops" "phone" }}`)
	if made.GetId() != "shop.sms.zh" || made.GetUpdatedAt() == nil {
		t.Errorf("template %v", made)
	}
	eventually(t, "it is taken", func() bool {
		_, err := s.PreviewTemplate(t.Context(), &alertv1.PreviewTemplateRequest{Text: `{{ template "shop.sms.zh" . }}`})
		return err == nil
	})
	raise(t, s, "First")
	eventually(t, "it is told in its words", func() bool { return strings.Contains(h.all(), "告警 First ops's phone") })
	put(t, s, "shop", "sms", "zh", `改 {{ .CommonLabels.alertname }}`)
	put(t, s, "weirflow", "title", "en", `{{ .CommonLabels.alertname }} of mine`)
	eventually(t, "the change is taken", func() bool {
		res, err := s.PreviewTemplate(t.Context(), &alertv1.PreviewTemplateRequest{Text: `{{ template "weirflow.title.en" . }}`})
		return err == nil && res.GetText() == "SampleAlert of mine"
	})
	stop()
	// After a restart, a message waits until its words are known.
	s, stop = start(t, cfg, config, on)
	defer stop()
	raise(t, s, "Second")
	eventually(t, "it is told in its words", func() bool { return strings.Contains(h.all(), "改 Second") })
	s.mu.Lock()
	for _, d := range s.sent {
		if d.Err != nil {
			t.Errorf("a try failed: %v", d.Err)
		}
	}
	s.mu.Unlock()
	list, err := s.ListTemplates(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	shipped := make(map[string]bool)
	for _, x := range list.GetTemplates() {
		shipped[x.GetId()] = x.GetShipped()
	}
	if is, ok := shipped["shop.sms.zh"]; !ok || is || shipped["weirflow.title.en"] || !shipped["weirflow.voice.zh"] {
		t.Errorf("templates %v", shipped)
	}
	if _, err := s.DeleteTemplate(t.Context(), &alertv1.DeleteTemplateRequest{Id: "weirflow.title.en"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shipped one is there again", func() bool {
		res, err := s.PreviewTemplate(t.Context(), &alertv1.PreviewTemplateRequest{Text: `{{ template "weirflow.title.en" . }}`})
		return err == nil && strings.HasPrefix(res.GetText(), "[FIRING 1 warning] SampleAlert")
	})
}

func TestPreviews(t *testing.T) {
	s, stop := start(t, kafkatest.Start(t), routed+"receivers: [{name: hook}]\n", nil)
	defer stop()
	fp := raise(t, s, "Deep")
	for name, tt := range map[string]struct {
		req   *alertv1.PreviewTemplateRequest
		wants []string
	}{
		"a sample":      {&alertv1.PreviewTemplateRequest{Text: `{{ template "weirflow.sms.zh" . }}`, Language: "zh", Channel: "tencent_sms"}, []string{"【告警 1 warning】SampleAlert：示例作业"}},
		"a real alert":  {&alertv1.PreviewTemplateRequest{Text: `{{ template "weirflow.markdown.en" . }}`, Fingerprint: fp}, []string{"**it is**", "](http://console.example/alerts?fingerprint=" + fp + "&from="}},
		"its end":       {&alertv1.PreviewTemplateRequest{Text: `{{ template "weirflow.title.en" . }}`, Fingerprint: fp, Resolved: true}, []string{"[RESOLVED] Deep"}},
		"HTML":          {&alertv1.PreviewTemplateRequest{Text: `{{ template "email.default.html" . }}`, Channel: "email"}, []string{"<html", "http://console.example/alerts?fingerprint="}},
		"escaped":       {&alertv1.PreviewTemplateRequest{Text: `<b>{{ "<script>" }}</b>`, Channel: "email"}, []string{"<b>&lt;script&gt;</b>"}},
		"Slack's link":  {&alertv1.PreviewTemplateRequest{Text: `{{ template "slack.default.titlelink" . }}`}, []string{"http://console.example/alerts?fingerprint="}},
		"nothing there": {&alertv1.PreviewTemplateRequest{Text: `{{ .CommonLabels.none }}`}, []string{""}},
	} {
		res, err := s.PreviewTemplate(t.Context(), tt.req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range tt.wants {
			if !strings.Contains(res.GetText(), want) {
				t.Errorf("%s: %q lacks %q", name, res.GetText(), want)
			}
		}
	}
	res, err := s.PreviewTemplate(t.Context(), &alertv1.PreviewTemplateRequest{Text: strings.Repeat("日", 400), Channel: "tencent_voice"})
	if err != nil || !res.GetShortened() || res.GetSize() != 350 || res.GetLimit() != 350 || res.GetMeasure() != "characters" {
		t.Errorf("%v (%v)", res, err)
	}
	for want, req := range map[string]*alertv1.PreviewTemplateRequest{
		"none":           {Text: `{{ template "none" . }}`},
		"carrier pigeon": {Text: "x", Channel: "carrier pigeon"},
		"no rota":        {Text: `{{ oncall "ops" "phone" }}`},
		"missing value":  {Text: `{{ if }}`},
	} {
		if _, err := s.PreviewTemplate(t.Context(), req); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	if _, err := s.PreviewTemplate(t.Context(), &alertv1.PreviewTemplateRequest{Text: "x", Fingerprint: "0123456789abcdef"}); status.Code(err) != codes.NotFound {
		t.Errorf("error %v", err)
	}
	for want, x := range map[string]*alertv1.Template{
		"letters":   {Name: "a b", Text: "x"},
		"neither":   {Name: "a", Language: "fr", Text: "x"},
		"required":  {Name: "a"},
		"function":  {Name: "a", Text: "{{ nonsense }}"},
		"by itself": {Name: "a", Text: `x{{ define "weirflow.title.en" }}y{{ end }}`},
		"EOF":       {Name: "a", Text: "{{ if true }}x"},
		"{{end}}":   {Name: "a", Text: `{{ end }}{{ define "b" }}`},
	} {
		if _, err := s.PutTemplate(t.Context(), &alertv1.PutTemplateRequest{Template: x}); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}

func TestReceiversAreTried(t *testing.T) {
	h := newHook(t)
	s, stop := start(t, kafkatest.Start(t), routed+"receivers:\n- name: hook\n- name: other\n  webhook_configs: [{url: '"+h.URL+"/good'}]\n  http_configs: [{url: '"+h.URL+"/refuse', body: '{{ .Title }} {{ .CommonLabels.test }}', send_resolved: false}]\n", nil)
	defer stop()
	list, err := s.ListReceivers(t.Context(), nil)
	if err != nil || len(list.GetReceivers()) != 2 || !list.GetReceivers()[0].GetUsed() || list.GetReceivers()[1].GetUsed() || strings.Join(list.GetReceivers()[1].GetChannels(), " ") != "webhook[0] http[0]" {
		t.Errorf("receivers %v (%v)", list, err)
	}
	try := func(req *alertv1.TestReceiverRequest) string {
		t.Helper()
		res, err := s.TestReceiver(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range res.GetResults() {
			out = append(out, r.GetChannel()+" "+r.GetError())
		}
		return strings.Join(out, ";")
	}
	if got := try(&alertv1.TestReceiverRequest{Receiver: "other"}); !strings.HasPrefix(got, "webhook[0] ;http[0] ") || !strings.Contains(got, "403") {
		t.Errorf("results %s", got)
	}
	if got := h.all(); !strings.Contains(got, `"test":"true"`) || !strings.Contains(got, "/refuse [FIRING 1 warning] SampleAlert true") {
		t.Errorf("sent %s", got)
	}
	// The same test again is sent again: no channel takes it for a repetition.
	fp := raise(t, s, "Deep")
	try(&alertv1.TestReceiverRequest{Receiver: "other", Channel: "webhook[0]", Fingerprint: fp})
	if got := try(&alertv1.TestReceiverRequest{Receiver: "other", Channel: "webhook[0]", Fingerprint: fp, Resolved: true}); got != "webhook[0] ;webhook[0] " {
		t.Errorf("results %s", got)
	}
	if n := strings.Count(h.all(), `"alertname":"Deep"`); n < 3 {
		t.Errorf("sent %s", h.all())
	}
	if got := try(&alertv1.TestReceiverRequest{Receiver: "other", Channel: "http[0]", Resolved: true}); !strings.Contains(got, "send_resolved") {
		t.Errorf("results %s", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.sent {
		if !d.Test {
			t.Errorf("a delivery is not marked as a test: %+v", d)
		}
	}
	for _, req := range []*alertv1.TestReceiverRequest{{Receiver: "none"}, {Receiver: "other", Channel: "email[0]"}, {Receiver: "other", Fingerprint: "0123456789abcdef"}} {
		if _, err := s.TestReceiver(t.Context(), req); status.Code(err) != codes.NotFound {
			t.Errorf("error %v", err)
		}
	}
}

// TestWhoIsOnCallIsReached has every channel that addresses people ask for them.
func TestWhoIsOnCallIsReached(t *testing.T) {
	h := newHook(t)
	contacts := map[string]string{"phone": "13800138000", "wecom": "ann.li", "feishu": "ou_84aad35d", "dingtalk": "manager12"}
	contact := func(rota, kind string, other ...string) (string, error) {
		if rota != "ops" {
			return "", io.ErrUnexpectedEOF
		}
		return contacts[kind], nil
	}
	url := h.URL
	config := routed + `receivers:
- name: hook
- name: people
  wecom_bot_configs: [{url: '` + url + `/wecom', mention_users: ['{{ oncall "ops" "wecom" }}', '{{ oncall "none" "wecom" }}']}]
  dingtalk_configs: [{url: '` + url + `/dingtalk', mention_users: ['{{ oncall "ops" "dingtalk" }}'], mention_mobiles: ['{{ oncall "ops" "phone" }}']}]
  feishu_configs: [{url: '` + url + `/feishu', mention_users: ['{{ oncall "ops" "feishu" }}']}]
  tencent_sms_configs: [{endpoint: '` + url + `', secret_id: a, secret_key: b, sdk_app_id: '1', template_id: '2', sign_name: s, to: ['{{ oncall "ops" "phone" }}']}]
  tencent_voice_configs: [{endpoint: '` + url + `', secret_id: a, secret_key: b, sdk_app_id: '1', template_id: '2', to: ['{{ oncall "ops" "phone" }}']}]
  twilio_sms_configs: [{endpoint: '` + url + `/twilio', account_sid: AC1, auth_token: b, from: '+12025550100', to: ['{{ oncall "ops" "phone" }}']}]
- name: nobody
  twilio_sms_configs: [{endpoint: '` + url + `/twilio', account_sid: AC1, auth_token: b, from: '+12025550100', to: ['{{ oncall "none" "phone" }}']}]
`
	s, stop := start(t, kafkatest.Start(t), config, contact)
	defer stop()
	// The answers are not those of the providers: what is sent counts here.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, c := range []string{"wecom_bot[0]", "dingtalk[0]", "feishu[0]", "tencent_sms[0]", "tencent_voice[0]", "twilio_sms[0]"} {
		one, end := context.WithTimeout(ctx, 700*time.Millisecond)
		if _, err := s.Engine.Test(one, "people", c, &alert.Alert{Alert: model.Alert{Labels: model.LabelSet{"alertname": "Deep"}, StartsAt: time.Now(), EndsAt: time.Now().Add(time.Hour)}}); err != nil {
			t.Fatal(err)
		}
		end()
	}
	got := h.all()
	for _, want := range []string{`\u003c@ann.li\u003e`, `"manager12"`, `"13800138000"`, "ou_84aad35d", `"PhoneNumberSet":["+8613800138000"]`, `"CalledNumber":"+8613800138000"`, "To=%2B8613800138000"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	res, err := s.TestReceiver(t.Context(), &alertv1.TestReceiverRequest{Receiver: "nobody"})
	if err != nil || !strings.Contains(res.GetResults()[0].GetError(), "nobody was told") {
		t.Errorf("results %v (%v)", res, err)
	}
}
