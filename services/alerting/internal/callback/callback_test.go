package callback_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/callback"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
)

const secret = "0123456789abcdefXYZ"

func TestTwilioSignature(t *testing.T) {
	// The sample of Twilio's documentation.
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	if got := callback.Signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form); got != "RSOYDt4T1cUTdK1PDd93/VVr8B8=" {
		t.Errorf("signature %s", got)
	}
}

func TestWhatProvidersSay(t *testing.T) {
	signers := receipt.NewSigners()
	signers.Set("AC1", func() (string, error) { return "token", nil })
	signers.Set("AC2", nil) // an API key
	signers.Set("AC3", func() (string, error) { return "", errors.New("the file is gone") })
	var noted []string
	var fail error
	h := callback.Handler{Secret: secret, External: "https://alerts.example.com", Signers: signers, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Note: func(r *alertv1.DeliveryReceipt) error {
		noted = append(noted, fmt.Sprint(r.GetProvider(), " ", r.GetId(), " ", strings.TrimPrefix(r.GetState().String(), "RECIPIENT_STATE_"), " ", r.GetDetail()))
		return fail
	}}
	form := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	path := "/receipts/" + secret
	const sms = `[{"user_receive_time":"2026-11-28 08:03:04","nationcode":"86","mobile":"13800138000","report_status":"SUCCESS","errmsg":"DELIVRD","description":"ok","sid":"s1"},` +
		`{"mobile":"13800138001","report_status":"FAIL","errmsg":"UNDELIV","description":"off","sid":"s2"}]`
	sent := form("MessageSid", "SM1", "MessageStatus", "delivered", "AccountSid", "AC1")
	for name, tt := range map[string]struct {
		path string
		json string
		form url.Values
		sign string // with this token
		code int
		want string
	}{
		"texts":                   {path + "/tencent/sms", sms, nil, "", 200, "tencent s1 DELIVERED DELIVRD ok;tencent s2 UNDELIVERED UNDELIV off"},
		"an answer":               {path + "/tencent/sms", `[{"text":"yes","mobile":"13800138000"}]`, nil, "", 200, ""},
		"no list":                 {path + "/tencent/sms", `{}`, nil, "", 400, ""},
		"a call":                  {path + "/tencent/voice", `{"voiceprompt_callback":{"result":"0","callid":"c1","mobile":"13800138000"}}`, nil, "", 200, "tencent c1 DELIVERED answered"},
		"nobody answers":          {path + "/tencent/voice", `{"voiceprompt_callback":{"result":"1","callid":"c1"}}`, nil, "", 200, "tencent c1 UNDELIVERED not answered"},
		"no such number":          {path + "/tencent/voice", `{"voice_failure_callback":{"callid":"c1","failure_code":8,"failure_reason":"空号"}}`, nil, "", 200, "tencent c1 UNDELIVERED 空号"},
		"a key is pressed":        {path + "/tencent/voice", `{"voicekey_callback":{"callid":"c1","keypress":"2"}}`, nil, "", 200, ""},
		"Twilio":                  {path + "/twilio", "", sent, "token", 200, "twilio SM1 DELIVERED delivered"},
		"Twilio, under way":       {path + "/twilio", "", form("MessageSid", "SM1", "MessageStatus", "sent", "AccountSid", "AC1"), "token", 200, "twilio SM1 PENDING sent"},
		"Twilio, refused":         {path + "/twilio", "", form("MessageSid", "SM1", "MessageStatus", "undelivered", "AccountSid", "AC1", "ErrorCode", "30003"), "token", 200, "twilio SM1 UNDELIVERED undelivered 30003"},
		"Twilio, a call":          {path + "/twilio", "", form("CallSid", "CA1", "CallStatus", "no-answer", "AccountSid", "AC1"), "token", 200, "twilio CA1 UNDELIVERED no-answer"},
		"Twilio, an API key":      {path + "/twilio", "", form("CallSid", "CA1", "CallStatus", "completed", "AccountSid", "AC2"), "", 200, "twilio CA1 DELIVERED completed"},
		"another token":           {path + "/twilio", "", sent, "guess", 403, ""},
		"no signature":            {path + "/twilio", "", sent, "", 403, ""},
		"a stranger's account":    {path + "/twilio", "", form("MessageSid", "SM1", "MessageStatus", "delivered", "AccountSid", "AC9"), "token", 403, ""},
		"a token that is gone":    {path + "/twilio", "", form("MessageSid", "SM1", "MessageStatus", "delivered", "AccountSid", "AC3"), "", 403, ""},
		"another secret":          {"/receipts/0123456789abcdefXY/tencent/sms", sms, nil, "", 404, ""},
		"no secret":               {"/receipts//tencent/sms", sms, nil, "", 404, ""},
		"a provider without name": {path + "/other", sms, nil, "", 404, ""},
	} {
		noted = nil
		body, kind := tt.json, "application/json"
		if tt.form != nil {
			body, kind = tt.form.Encode(), "application/x-www-form-urlencoded"
		}
		r := httptest.NewRequest(http.MethodPost, tt.path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		if tt.sign != "" {
			r.Header.Set("X-Twilio-Signature", callback.Signature(tt.sign, "https://alerts.example.com"+tt.path, tt.form))
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := strings.Join(noted, ";"); w.Code != tt.code || got != tt.want {
			t.Errorf("%s: %d %q, want %d %q", name, w.Code, got, tt.code, tt.want)
		}
		if strings.Contains(tt.path, "tencent") && w.Code == 200 && w.Body.String() != `{"result":0,"errmsg":"OK"}` {
			t.Errorf("%s: answer %s", name, w.Body)
		}
	}
	fail = errors.New("Kafka is away")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path+"/tencent/sms", strings.NewReader(sms)))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("what is not kept is answered with %d", w.Code)
	}
	h.Secret = ""
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/receipts//tencent/sms", strings.NewReader(sms)))
	if w.Code != http.StatusNotFound {
		t.Errorf("without a secret: %d", w.Code)
	}
}
