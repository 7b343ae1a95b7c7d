package tencent_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/tencent"
)

const (
	id  = "AKIDxxxx"
	key = "s3cretKey"
)

// cloud checks requests as Tencent Cloud does.
type cloud struct {
	t *testing.T
	// had are the numbers that were told, in their order.
	had []string
	// fail are codes for numbers, of which one is used at each try.
	fail     map[string][]string
	requests int
	busy     int // answers so many times that it is
	sms      struct {
		AppID                            string `json:"SmsSdkAppId"`
		Template                         string `json:"TemplateId"`
		SignName, SessionContext         string
		PhoneNumberSet, TemplateParamSet []string
	}
	voice struct {
		CalledNumber, VoiceSdkAppid, SessionContext string
		TemplateParamSet                            []string
		PlayTimes                                   int
	}
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := channeltest.Body(c.t, r)
	fail := func(code, text string) {
		_, _ = fmt.Fprintf(w, `{"Response":{"Error":{"Code":%q,"Message":%q},"RequestId":"ed93f3cb"}}`, code, text)
	}
	c.requests++
	if c.busy > 0 {
		c.busy--
		fail("InternalError.Timeout", "request timeout")
		return
	}
	service := map[string]string{"SendSms": "sms", "SendTtsVoice": "vms"}[r.Header.Get("X-TC-Action")]
	if err := checkSignature(r, service, body); err != "" {
		fail("AuthFailure.SignatureFailure", err)
		return
	}
	switch r.Header.Get("X-TC-Action") + " " + r.Header.Get("X-TC-Version") {
	case "SendSms 2021-01-11":
		if err := json.Unmarshal(body, &c.sms); err != nil {
			fail("InvalidParameter", err.Error())
			return
		}
		home := slices.ContainsFunc(c.sms.PhoneNumberSet, func(n string) bool { return strings.HasPrefix(n, "+86") })
		abroad := slices.ContainsFunc(c.sms.PhoneNumberSet, func(n string) bool { return !strings.HasPrefix(n, "+86") })
		switch {
		case len(c.sms.PhoneNumberSet) > 200:
			fail("LimitExceeded.PhoneNumberCountLimit", "the number of phone numbers exceeds the limit")
			return
		case home && abroad:
			fail("UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber", "both")
			return
		}
		var parts []string
		for _, n := range c.sms.PhoneNumberSet {
			parts = append(parts, fmt.Sprintf(`{"SerialNo":"5000:1","PhoneNumber":%q,"Fee":1,"SessionContext":"","Code":%q,"Message":"m","IsoCode":"CN"}`, n, c.outcome(n)))
		}
		_, _ = fmt.Fprintf(w, `{"Response":{"SendStatusSet":[%s],"RequestId":"a0aabda6"}}`, strings.Join(parts, ","))
	case "SendTtsVoice 2020-09-02":
		if err := json.Unmarshal(body, &c.voice); err != nil {
			fail("InvalidParameter", err.Error())
			return
		}
		if code := c.outcome(c.voice.CalledNumber); code != "Ok" {
			fail(code, "m")
			return
		}
		_, _ = w.Write([]byte(`{"Response":{"SendStatus":{"CallId":"4a9b","SessionContext":""},"RequestId":"ab"}}`))
	default:
		fail("InvalidAction", "no such action")
	}
}

func (c *cloud) outcome(n string) string {
	if codes := c.fail[n]; len(codes) > 0 {
		c.fail[n] = codes[1:]
		return codes[0]
	}
	c.had = append(c.had, n)
	return "Ok"
}

// checkSignature works the signature out again, in its own words.
func checkSignature(r *http.Request, service string, body []byte) string {
	m := regexp.MustCompile(`^TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/(\w+)/tc3_request, SignedHeaders=content-type;host, Signature=([0-9a-f]{64})$`).
		FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil || m[1] != id || m[3] != service {
		return "authorization: " + r.Header.Get("Authorization")
	}
	seconds, err := strconv.ParseInt(r.Header.Get("X-TC-Timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute || time.Unix(seconds, 0).UTC().Format("2006-01-02") != m[2] {
		return "the time"
	}
	request := fmt.Sprintf("POST\n/\n\ncontent-type:%s\nhost:%s\n\ncontent-type;host\n%x", r.Header.Get("Content-Type"), r.Host, sha256.Sum256(body))
	text := fmt.Sprintf("TC3-HMAC-SHA256\n%d\n%s/%s/tc3_request\n%x", seconds, m[2], m[3], sha256.Sum256([]byte(request)))
	sum := []byte("TC3" + key)
	for _, part := range []string{m[2], m[3], "tc3_request", text} {
		h := hmac.New(sha256.New, sum)
		_, _ = h.Write([]byte(part))
		sum = h.Sum(nil)
	}
	if hex.EncodeToString(sum) != m[4] {
		return "the provided credentials could not be validated"
	}
	return ""
}

func account(endpoint string) string {
	return "endpoint: " + endpoint + "\nsecret_id: " + id + "\nsecret_key: " + key + "\nsdk_app_id: '1400006666'\ntemplate_id: '1110'\n"
}

func TestSMS(t *testing.T) { synctest.Test(t, smsInSteps) }

func smsInSteps(t *testing.T) {
	t.Helper()
	c := &cloud{t: t, fail: map[string][]string{"+8613800000002": {"LimitExceeded.PhoneNumberThirtySecondLimit"}, "+8613800000003": {"InternalError.OtherError", "InternalError.OtherError"},
		"+8613800000004": {"FailedOperation.PhoneNumberInBlacklist", "FailedOperation.PhoneNumberInBlacklist", "FailedOperation.PhoneNumberInBlacklist", "FailedOperation.PhoneNumberInBlacklist"}}}
	n := channeltest.Open(t, tencent.NewSMS(receipt.NewBook())(), account("http://sms.example")+"sign_name: Weirflow\nlanguage: zh\nmax_param_length: 12\n"+
		"to: ['13800000001', '+86 138-0000-0002', '+8613800000003', '{{ .CommonLabels.phones }}', '+12025550123']\ntemplate_params: ['{{ .CommonLabels.alertname }}', '{{ .CommonAnnotations.summary }}']", channeltest.Env(t, channeltest.Direct(c)))
	ctx := channeltest.Context(t.Context(), "Lag")
	a := channeltest.Firing("Lag", "two\nminutes behind", "phones", "13800000004, 13800000005")
	start := time.Now()
	steps := []struct {
		again    bool
		requests int
		had      string
	}{
		{true, 2, "[+8613800000001 +8613800000005 +12025550123]"},
		// One has to wait for half a minute, which the others do not.
		{true, 3, "[+8613800000001 +8613800000005 +12025550123]"},
		{true, 4, "[+8613800000001 +8613800000005 +12025550123 +8613800000003]"},
		{true, 5, "[+8613800000001 +8613800000005 +12025550123 +8613800000003]"},
		{true, 6, "[+8613800000001 +8613800000005 +12025550123 +8613800000003 +8613800000004]"},
		{false, 7, "[+8613800000001 +8613800000005 +12025550123 +8613800000003 +8613800000004 +8613800000002]"},
	}
	for i, step := range steps {
		again, err := n.Notify(ctx, a)
		if again != step.again || (err == nil) != (i == len(steps)-1) || c.requests != step.requests || fmt.Sprint(c.had) != step.had {
			t.Fatalf("try %d: again %v, error %v, %d requests, %v", i+1, again, err, c.requests, c.had)
		}
		if err != nil && strings.Contains(err.Error(), "13800000004") {
			t.Errorf("the error shows a number: %v", err)
		}
	}
	if time.Since(start) != 30*time.Second {
		t.Errorf("it took %v", time.Since(start))
	}
	if fmt.Sprint(c.sms.TemplateParamSet) != "[Lag two minutes…]" || c.sms.SignName != "Weirflow" || len(c.sms.SessionContext) != 32 || c.sms.AppID != "1400006666" || c.sms.Template != "1110" {
		t.Errorf("sent %+v", c.sms)
	}
	// It has reached everyone: told again, it is a repetition.
	if _, err := n.Notify(ctx, a); err != nil || len(c.had) != 12 {
		t.Errorf("%v, %v", err, c.had)
	}
}

func TestManyNumbers(t *testing.T) {
	c := &cloud{t: t}
	s := httptest.NewServer(c)
	defer s.Close()
	var to []string
	for i := range 450 {
		to = append(to, fmt.Sprintf("'+86138%08d'", i))
	}
	n := channeltest.Open(t, tencent.NewSMS(receipt.NewBook())(), account(s.URL)+"sign_name: Weirflow\nto: ["+strings.Join(to, ", ")+"]", channeltest.Env(t, s.Client()))
	if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x")); again || err != nil || c.requests != 3 || len(c.had) != 450 {
		t.Errorf("again %v, error %v, %d requests, %d numbers", again, err, c.requests, len(c.had))
	}
}

func TestVoice(t *testing.T) {
	c := &cloud{t: t, busy: 1, fail: map[string][]string{"+8613800000002": {"InternalError.SendTTSError"}}}
	s := httptest.NewServer(c)
	defer s.Close()
	n := channeltest.Open(t, tencent.NewVoice(receipt.NewBook())(), account(s.URL)+"play_times: 3\nto: ['13800000001', '13800000002']", channeltest.Env(t, s.Client()))
	ctx := channeltest.Context(t.Context(), "Lag")
	var err error
	tries := 0
	for again := true; again; tries++ {
		again, err = n.Notify(ctx, channeltest.Firing("Lag", "two minutes behind"))
		if tries > 5 {
			break
		}
	}
	// The first call of the first number times out, and that of the second fails once.
	counts := make(map[string]int)
	for _, h := range c.had {
		counts[h]++
	}
	if err != nil || tries < 2 || counts["+8613800000001"] != 1 || counts["+8613800000002"] != 1 {
		t.Errorf("after %d tries: %v, %v", tries, err, counts)
	}
	if c.voice.PlayTimes != 3 || c.voice.VoiceSdkAppid != "1400006666" || len(c.voice.TemplateParamSet) != 1 || !strings.Contains(c.voice.TemplateParamSet[0], "two minutes behind") {
		t.Errorf("called with %+v", c.voice)
	}
}

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		again  bool
		want   string
	}{
		"signature":    {200, `{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"no"},"RequestId":"r"}}`, false, "AuthFailure"},
		"clock":        {200, `{"Response":{"Error":{"Code":"AuthFailure.SignatureExpire","Message":"no"},"RequestId":"r"}}`, false, "clock"},
		"rate":         {200, `{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"slow"},"RequestId":"r"}}`, true, "RequestLimitExceeded"},
		"daily":        {200, `{"Response":{"SendStatusSet":[{"PhoneNumber":"+8613800000001","Code":"LimitExceeded.PhoneNumberDailyLimit","Message":"m"}]}}`, false, "DailyLimit"},
		"no results":   {200, `{"Response":{"SendStatusSet":[],"RequestId":"r"}}`, true, "no result"},
		"server error": {500, "oops", true, "500"},
		"rate by HTTP": {429, "", true, "429"},
		"not JSON":     {200, "<html>", true, "not JSON"},
		"no response":  {200, "{}", true, "SendSms"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer s.Close()
			n := channeltest.Open(t, tencent.NewSMS(receipt.NewBook())(), account(s.URL)+"sign_name: W\nto: ['13800000001']", channeltest.Env(t, s.Client()))
			again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x"))
			if again != tt.again || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), key) {
				t.Errorf("again %v, error %v", again, err)
			}
		})
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	c := &cloud{t: t}
	s := httptest.NewServer(c)
	defer s.Close()
	for to, had := range map[string]int{"['{{ .CommonLabels.nobody }}']": 0, "['13800000001', '{{ .CommonLabels.job }}']": 1} {
		n := channeltest.Open(t, tencent.NewSMS(receipt.NewBook())(), account(s.URL)+"sign_name: W\nto: "+to, channeltest.Env(t, s.Client()))
		c.had = nil
		a := channeltest.Firing("Lag", "x", "job", "shop")
		for range 2 { // the Alertmanager comes again; who was told is not told twice
			if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), a); again || err == nil {
				t.Errorf("%s: again %v, error %v", to, again, err)
			}
		}
		if len(c.had) != had {
			t.Errorf("%s: %v", to, c.had)
		}
	}
}

func TestConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		account("https://sms.example") + "to: ['13800000001']\nsign_name: W":          "",
		account("https://sms.example") + "to: ['13800000001']":                        "sign_name is required",
		account("https://sms.example") + "to: ['+12025550123']":                       "",
		account("https://sms.example") + "to: ['12']":                                 "not a telephone number",
		account("https://sms.example"):                                                "to is required",
		account("https://sms.example/x") + "to: ['+12025550123']":                     "no path",
		"to: ['+12025550123']":                                                        "secret_id or secret_id_file is required",
		account("https://sms.example") + "to: ['+12025550123']\nregion: ''":           "region is required",
		account("https://sms.example") + "to: ['+12025550123']\nmax_param_length: -1": "negative",
	} {
		c := tencent.NewSMS(receipt.NewBook())()
		if err := yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		err := c.Validate()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if c.SendResolved() {
			t.Error("the end is told by default")
		}
		if strings.Contains(fmt.Sprintf("%+v", c), key) {
			t.Error("the key shows")
		}
	}
	v := tencent.NewVoice(receipt.NewBook())()
	if err := yaml.UnmarshalWithOptions([]byte(account("https://vms.example")+"to: ['+12025550123']\nplay_times: 4"), v, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(); err == nil || !strings.Contains(err.Error(), "play_times") {
		t.Error(err)
	}
}
