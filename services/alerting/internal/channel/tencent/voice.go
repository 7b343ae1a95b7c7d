package tencent

import (
	"context"
	"errors"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/phone"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
)

// maxPlays is how often a text may be read out.
const maxPlays = 3

// Voice is an entry of tencent_voice_configs.
type Voice struct {
	Account `yaml:",inline"`
	// Plays is how often the text is read out.
	Plays int `yaml:"play_times"`

	book *receipt.Book
}

// NewVoice returns a configuration with what holds where nothing is set.
func NewVoice(book *receipt.Book) func() channel.Config {
	return func() channel.Config {
		return &Voice{Account: Account{Region: "ap-guangzhou", Endpoint: "https://vms.tencentcloudapi.com"}, Plays: 2, book: book}
	}
}

// Validate says what is wrong.
func (c *Voice) Validate() error {
	err := c.validate()
	if c.Plays < 1 || c.Plays > maxPlays {
		err = errors.Join(err, errors.New("play_times must be 1, 2 or 3"))
	}
	return err
}

// Open makes the channel.
func (c *Voice) Open(e channel.Env) (notify.Notifier, error) {
	call, err := newCaller(&c.Account, e, "vms", "2020-09-02")
	if err != nil {
		return nil, err
	}
	return &calls{c: c, e: e, caller: call}, message.Define(e.Templates)
}

// calls makes voice calls.
type calls struct {
	c *Voice
	e channel.Env
	caller
}

// sendTTS is the request.
type sendTTS struct {
	Template         string `json:"TemplateId"`
	CalledNumber     string
	VoiceSdkAppid    string
	TemplateParamSet []string
	PlayTimes        int
	SessionContext   string
}

// Notify calls the numbers that have not had this notification, and returns whether to
// try again.
func (n *calls) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	r := message.New(ctx, n.e.Templates, n.c.Language, n.e.Logger, alerts)
	params, err := n.c.params(r, "weirflow.voice")
	if err != nil {
		return false, err
	}
	session, err := n.c.session(ctx, r)
	if err != nil {
		return false, err
	}
	numbers, bad := phone.Render(n.e.Templates, r.Data, n.c.Numbers)
	k := receipt.Of(ctx, "voice "+n.c.AppID+" "+n.c.Template, n.c.Numbers, alerts)
	err = n.c.book.Each(ctx, k, numbers, bad, func(ctx context.Context, numbers []string) map[string]error {
		all := make(map[string]error)
		for _, number := range numbers {
			all[number] = n.dial(ctx, sendTTS{Template: n.c.Template, CalledNumber: number, VoiceSdkAppid: n.c.AppID, TemplateParamSet: params,
				PlayTimes: n.c.Plays, SessionContext: session})
		}
		return all
	})
	return wire.Verdict(err)
}

// dial makes one call. That it was taken does not say that somebody answered.
func (n *calls) dial(ctx context.Context, request sendTTS) error {
	var response struct {
		SendStatus *struct {
			CallID string `json:"CallId"`
		}
	}
	if err := n.call(ctx, "SendTtsVoice", request, &response); err != nil {
		return err
	}
	if response.SendStatus == nil || response.SendStatus.CallID == "" {
		return wire.Refused("Tencent Cloud answered no id of the call")
	}
	receipt.Took(ctx, "tencent", request.CalledNumber, response.SendStatus.CallID)
	return nil
}
