package receipt_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/tencent"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/twilio"
)

// TestWhatProvidersTookIsNoted sends by every channel whose provider reports later.
func TestWhatProvidersTookIsNoted(t *testing.T) {
	var asked []string
	client := channeltest.Direct(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = append(asked, string(b))
		switch action := r.Header.Get("X-TC-Action"); action {
		case "SendSms":
			_, _ = io.WriteString(w, `{"Response":{"SendStatusSet":[{"SerialNo":"s1","PhoneNumber":"+8613800138000","Code":"Ok"},{"SerialNo":"","PhoneNumber":"+8613800138001","Code":"LimitExceeded.x"}]}}`)
		case "SendTtsVoice":
			_, _ = io.WriteString(w, `{"Response":{"SendStatus":{"CallId":"c1"}}}`)
		default:
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"sid":"SM1","status":"queued"}`)
		}
	}))
	const account = "secret_id: a\nsecret_key: b\nsdk_app_id: '1'\ntemplate_id: '2'\n"
	const key = "account_sid: AC1\nauth_token: token\nfrom: '+12025550100'\nto: ['13800138000']\n"
	for name, tt := range map[string]struct {
		config channel.Config
		text   string
		want   string
	}{
		"tencent SMS":   {tencent.NewSMS(receipt.NewBook())(), account + "sign_name: s\nto: ['13800138000', '13800138001']", "[{tencent +86*******8000 s1}]"},
		"tencent voice": {tencent.NewVoice(receipt.NewBook())(), account + "to: ['13800138000']", "[{tencent +86*******8000 c1}]"},
		"twilio SMS":    {twilio.NewSMS(receipt.NewBook())(), key, "[{twilio +86*******8000 SM1}]"},
		"twilio call":   {twilio.NewCall(receipt.NewBook())(), key, "[{twilio +86*******8000 SM1}]"},
	} {
		asked = nil
		e := channeltest.Env(t, client)
		e.Receipts, e.Signers = "https://alerts.example.com/receipts/x", receipt.NewSigners()
		n := channeltest.Open(t, tt.config, tt.text, e)
		ctx, taken := receipt.Collect(channeltest.Context(t.Context(), "Lag"))
		_, _ = n.Notify(ctx, channeltest.Firing("Lag", "behind"))
		if got := fmt.Sprint(taken.All()); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		if strings.HasPrefix(name, "twilio") {
			if token, known, err := e.Signers.Secret("AC1"); token != "token" || !known || err != nil {
				t.Errorf("%s: the token is not known (%v)", name, err)
			}
			if !strings.Contains(asked[0], "StatusCallback=https%3A%2F%2Falerts.example.com%2Freceipts%2Fx%2Ftwilio") {
				t.Errorf("%s: %s", name, asked[0])
			}
		}
	}
}
