package tencent

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/phone"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
)

const (
	// maxNumbers is how many a request takes.
	maxNumbers = 200
	// domestic is the country whose numbers must not be in a request with others.
	domestic = "+86"
)

// SMS is an entry of tencent_sms_configs.
type SMS struct {
	Account `yaml:",inline"`
	// Sign is the approved signature; numbers abroad need none.
	Sign string `yaml:"sign_name"`
	// Sender is the sender's id abroad.
	Sender string `yaml:"sender_id"`
	// Extend is the extension of the number that sends.
	Extend string `yaml:"extend_code"`

	book *receipt.Book
}

// NewSMS returns a configuration with what holds where nothing is set.
func NewSMS(book *receipt.Book) func() channel.Config {
	return func() channel.Config {
		return &SMS{Account: Account{Region: "ap-guangzhou", Endpoint: "https://sms.tencentcloudapi.com"}, book: book}
	}
}

// Validate says what is wrong.
func (c *SMS) Validate() error {
	errs := []error{c.validate()}
	if c.Sign == "" {
		for _, n := range c.Numbers {
			if full, err := phone.Normal(n); err == nil && strings.HasPrefix(full, domestic) {
				errs = append(errs, errors.New("sign_name is required for numbers of +86"))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// Open makes the channel.
func (c *SMS) Open(e channel.Env) (notify.Notifier, error) {
	call, err := newCaller(&c.Account, e, "sms", "2021-01-11")
	if err != nil {
		return nil, err
	}
	return &texts{c: c, e: e, caller: call}, message.Define(e.Templates)
}

// texts sends text messages.
type texts struct {
	c *SMS
	e channel.Env
	caller
}

// Notify sends to the numbers that have not had this notification, and returns whether
// to try again.
func (n *texts) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	r := message.New(ctx, n.e.Templates, n.c.Language, n.e.Logger, alerts)
	params, err := n.c.params(r, "weirflow.sms")
	if err != nil {
		return false, err
	}
	session, err := n.c.session(ctx, r)
	if err != nil {
		return false, err
	}
	numbers, bad := phone.Render(n.e.Templates, r.Data, n.c.Numbers)
	k := receipt.Of(ctx, "sms "+n.c.AppID+" "+n.c.Template, n.c.Numbers, alerts)
	err = n.c.book.Each(ctx, k, numbers, bad, func(ctx context.Context, numbers []string) map[string]error {
		all := make(map[string]error)
		for _, some := range requests(numbers) {
			maps.Copy(all, n.send(ctx, some, params, session))
		}
		return all
	})
	return wire.Verdict(err)
}

// requests parts numbers so that each part may be one request.
func requests(numbers []string) [][]string {
	var home, abroad []string
	for _, n := range numbers {
		if strings.HasPrefix(n, domestic) {
			home = append(home, n)
		} else {
			abroad = append(abroad, n)
		}
	}
	var all [][]string
	for _, list := range [][]string{home, abroad} {
		for len(list) > 0 {
			n := min(len(list), maxNumbers)
			all = append(all, list[:n])
			list = list[n:]
		}
	}
	return all
}

// sendSMS is the request.
type sendSMS struct {
	PhoneNumberSet   []string
	AppID            string `json:"SmsSdkAppId"`
	Template         string `json:"TemplateId"`
	SignName         string `json:",omitempty"`
	TemplateParamSet []string
	Sender           string `json:"SenderId,omitempty"`
	ExtendCode       string `json:",omitempty"`
	SessionContext   string
}

// send makes one request and returns what became of each number.
func (n *texts) send(ctx context.Context, numbers, params []string, session string) map[string]error {
	request := sendSMS{PhoneNumberSet: numbers, AppID: n.c.AppID, Template: n.c.Template, SignName: n.c.Sign, TemplateParamSet: params,
		Sender: n.c.Sender, ExtendCode: n.c.Extend, SessionContext: session}
	var response struct {
		SendStatusSet []struct{ SerialNo, PhoneNumber, Code, Message string }
	}
	outcome := make(map[string]error, len(numbers))
	if err := n.call(ctx, "SendSms", request, &response); err != nil {
		for _, number := range numbers {
			outcome[number] = err
		}
		return outcome
	}
	for i, s := range response.SendStatusSet {
		number := s.PhoneNumber
		if full, err := phone.Normal(number); err == nil {
			number = full
		} else if i < len(numbers) { // the answer is in the order of the request
			number = numbers[i]
		}
		if s.Code == "Ok" {
			receipt.Took(ctx, "tencent", number, s.SerialNo)
			outcome[number] = nil
			continue
		}
		outcome[number] = failure(s.Code, s.Message)
	}
	return outcome
}
