// Package callback hears from providers of text messages and calls what became of them.
package callback

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // it is how Twilio signs
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
)

const (
	// Path is what all paths begin with; a secret follows.
	Path = "/receipts/"
	// maxBody and maxReceipts bound a request.
	maxBody, maxReceipts = 1 << 20, 1000
	// maxText bounds what is kept of a provider's words.
	maxText = 200
	// Tencent is a provider.
	Tencent = "tencent"
	// Twilio is another.
	Twilio = "twilio"
)

// Handler hears providers. Nobody else knows the secret of the path; Twilio's requests
// are signed as well.
type Handler struct {
	// Secret is the last part of the paths but one; without it nothing is served.
	Secret string
	// External is the address that providers know, without the path.
	External string
	Signers  *receipt.Signers
	Logger   *slog.Logger
	Now      func() time.Time
	// Note keeps what was said.
	Note func(r *alertv1.DeliveryReceipt) error
}

// ServeHTTP takes what a provider says.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secret, provider, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Path), "/")
	if h.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(h.Secret)) != 1 {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "providers post what they have to say", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	var all []*alertv1.DeliveryReceipt
	var ok bool
	switch provider {
	case "tencent/sms":
		all, ok = tencentSMS(r)
	case "tencent/voice":
		all, ok = tencentVoice(r)
	case Twilio:
		if !h.signed(r) {
			http.Error(w, "the signature is not right", http.StatusForbidden)
			return
		}
		all, ok = twilio(r)
	default:
		http.NotFound(w, r)
		return
	}
	if !ok || len(all) > maxReceipts {
		http.Error(w, "this is not what the provider is known to say", http.StatusBadRequest)
		return
	}
	for _, x := range all {
		x.At, x.Detail = timestamppb.New(h.Now()), short(x.GetDetail())
		if err := h.Note(x); err != nil {
			h.Logger.Warn("a receipt could not be kept; the provider may send it again", "provider", x.GetProvider(), "error", err)
			http.Error(w, "it could not be kept", http.StatusServiceUnavailable)
			return
		}
	}
	if strings.HasPrefix(provider, Tencent) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"result":0,"errmsg":"OK"}`))
	}
}

func short(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "")
}

// tencentSMS reads what Tencent Cloud says of text messages.
func tencentSMS(r *http.Request) ([]*alertv1.DeliveryReceipt, bool) {
	var said []struct {
		Status      string `json:"report_status"`
		Message     string `json:"errmsg"`
		Description string `json:"description"`
		ID          string `json:"sid"`
	}
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
		return nil, false
	}
	var all []*alertv1.DeliveryReceipt
	for _, s := range said {
		x := &alertv1.DeliveryReceipt{Provider: Tencent, Id: s.ID, Detail: strings.TrimSpace(s.Message + " " + s.Description)}
		switch s.Status {
		case "SUCCESS":
			x.State = alertv1.RecipientState_RECIPIENT_STATE_DELIVERED
		case "FAIL":
			x.State = alertv1.RecipientState_RECIPIENT_STATE_UNDELIVERED
		default: // an answer of the receiver, which comes to the same address
			continue
		}
		if s.ID == "" {
			return nil, false
		}
		all = append(all, x)
	}
	return all, true
}

// tencentVoice reads what it says of calls: whether somebody answered, or why the call
// could not be made.
func tencentVoice(r *http.Request) ([]*alertv1.DeliveryReceipt, bool) {
	var said struct {
		Prompt *struct {
			Result string `json:"result"`
			ID     string `json:"callid"`
		} `json:"voiceprompt_callback"`
		Failure *struct {
			ID     string `json:"callid"`
			Reason string `json:"failure_reason"`
		} `json:"voice_failure_callback"`
	}
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
		return nil, false
	}
	x := &alertv1.DeliveryReceipt{Provider: Tencent, State: alertv1.RecipientState_RECIPIENT_STATE_UNDELIVERED}
	switch {
	case said.Failure != nil:
		x.Id, x.Detail = said.Failure.ID, said.Failure.Reason
	case said.Prompt != nil:
		x.Id = said.Prompt.ID
		switch said.Prompt.Result {
		case "0":
			x.State, x.Detail = alertv1.RecipientState_RECIPIENT_STATE_DELIVERED, "answered"
		case "1":
			x.Detail = "not answered"
		default:
			x.Detail = "the call failed: " + said.Prompt.Result
		}
	default:
		return nil, true // a key that was pressed, and others
	}
	return []*alertv1.DeliveryReceipt{x}, x.GetId() != ""
}

// twilio reads what Twilio says. The form has been parsed.
func twilio(r *http.Request) ([]*alertv1.DeliveryReceipt, bool) {
	id, word := r.PostForm.Get("MessageSid"), r.PostForm.Get("MessageStatus")
	if id == "" {
		id, word = r.PostForm.Get("CallSid"), r.PostForm.Get("CallStatus")
	}
	x := &alertv1.DeliveryReceipt{Provider: Twilio, Id: id, Detail: word, State: alertv1.RecipientState_RECIPIENT_STATE_PENDING}
	switch word {
	case "delivered", "read", "completed":
		x.State = alertv1.RecipientState_RECIPIENT_STATE_DELIVERED
	case "undelivered", "failed", "busy", "no-answer", "canceled":
		x.State = alertv1.RecipientState_RECIPIENT_STATE_UNDELIVERED
	}
	if code := r.PostForm.Get("ErrorCode"); code != "" {
		x.Detail += " " + code
	}
	return []*alertv1.DeliveryReceipt{x}, id != "" && word != ""
}

// signed reports whether Twilio signed a request with the token of the account that it
// names. Of an account with an API key the token is not known: the path's secret alone
// must do.
func (h Handler) signed(r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		return false
	}
	token, known, err := h.Signers.Secret(r.PostForm.Get("AccountSid"))
	if err != nil {
		return false
	}
	if !known {
		return h.Signers.Has(r.PostForm.Get("AccountSid"))
	}
	want := Signature(token, h.External+r.URL.RequestURI(), r.PostForm)
	return subtle.ConstantTimeCompare([]byte(want), []byte(r.Header.Get("X-Twilio-Signature"))) == 1
}

// Signature is that of Twilio for a request: of the address and the sorted parameters.
func Signature(token, address string, form url.Values) string {
	m := hmac.New(sha1.New, []byte(token))
	_, _ = m.Write([]byte(address))
	names := make([]string, 0, len(form))
	for n := range form {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		for _, v := range form[n] {
			_, _ = m.Write([]byte(n + v))
		}
	}
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
