// Package feishu tells a Feishu (Lark) group through its custom bot.
package feishu

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/credential"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
	"github.com/weirflow/weirflow/services/platform/secret"
)

const (
	// maxRequest is what a request may have in bytes; around is what is not text.
	maxRequest, around = 20 << 10, 2 << 10
)

// The types of messages.
const (
	text = "text"
	card = "interactive"
)

// tooOften is the code of an answer that another try mends, after tooOftenFor.
const (
	tooOften    = 11232
	tooOftenFor = 10 * time.Second
)

// limits are those of a bot, with something to spare, since messages take a time that
// differs.
func limits() []pace.Limit {
	return []pace.Limit{{N: 100, Per: 61 * time.Second}, {N: 5, Per: 1100 * time.Millisecond}}
}

// Config is an entry of feishu_configs.
type Config struct {
	message.Settings `yaml:",inline"`
	// URL is the address of the bot.
	URL     secret.String `yaml:"url"`
	URLFile string        `yaml:"url_file"`
	// Secret signs, where the bot wants signatures.
	Secret     secret.String `yaml:"secret"`
	SecretFile string        `yaml:"secret_file"`
	// Type is text or interactive, which is a card.
	Type string `yaml:"message_type"`
	// Users are called by name when something is wrong, by their open or user ids;
	// "all" is everyone.
	Users []string `yaml:"mention_users"`

	gates *pace.Gates
}

// New returns a configuration with what holds where nothing is set.
func New(gates *pace.Gates) func() channel.Config {
	return func() channel.Config {
		return &Config{Settings: message.Settings{Resolved: true}, Type: card, gates: gates}
	}
}

func (c *Config) source() credential.Source {
	return credential.Source{Key: "url", Value: c.URL, File: c.URLFile}
}

func (c *Config) secret() credential.Source {
	return credential.Source{Key: "secret", Value: c.Secret, File: c.SecretFile}
}

// Validate says what is wrong.
func (c *Config) Validate() error {
	errs := []error{c.Settings.Validate(), c.source().Validate()}
	if c.secret().Given() {
		errs = append(errs, c.secret().Validate())
	}
	if c.Type != text && c.Type != card {
		errs = append(errs, fmt.Errorf("message_type: %q is neither text nor interactive", c.Type))
	}
	return errors.Join(errs...)
}

// Open makes the channel.
func (c *Config) Open(e channel.Env) (notify.Notifier, error) {
	n := &notifier{c: c, e: e, client: wire.Client(e.HTTP)}
	if _, _, err := n.address(); err != nil {
		return nil, err
	}
	return n, message.Define(e.Templates)
}

type notifier struct {
	c      *Config
	e      channel.Env
	client *http.Client
}

// address is that of the bot, and the secret that signs.
func (n *notifier) address() (to, key string, err error) {
	if to, err = n.c.source().Read(); err != nil {
		return "", "", err
	}
	if err := channel.CheckURL("url", to); err != nil {
		return "", "", err
	}
	if n.c.secret().Given() {
		key, err = n.c.secret().Read()
	}
	return to, key, err
}

// Notify sends, and returns whether to try again.
func (n *notifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	group, err := notify.ExtractGroupKey(ctx)
	if err != nil {
		return false, err
	}
	to, key, err := n.address()
	if err != nil {
		return false, err
	}
	m := message.Message{Form: n.c.Type, Limit: maxRequest - around, Size: message.JSONBytes, Call: inText}
	template := "weirflow.text"
	if n.c.Type == card {
		m.Call, template = inCard, "weirflow.markdown"
	}
	r := message.New(ctx, n.e.Templates, n.c.Language, n.e.Logger, alerts)
	if err := n.c.Fill(r, &m, template, n.c.Users, nil); err != nil {
		return false, err
	}
	send := func(ctx context.Context, m message.Message) error { return n.send(ctx, to, key, m) }
	return wire.Verdict(n.c.gates.Of(to, limits()...).Do(ctx, pace.Place{Owner: n, Group: group.String()}, m, send))
}

func inText(m message.Message) string { return calls(m, `<at user_id="%s"></at>`) }
func inCard(m message.Message) string { return calls(m, `<at id=%s></at>`) }

func calls(m message.Message, form string) string {
	// Nothing but what ids are made of, so that a label can not add its own markup.
	plain := strings.NewReplacer("<", "", ">", "", `"`, "")
	var b strings.Builder
	for _, u := range m.Users {
		fmt.Fprintf(&b, " "+form, plain.Replace(u))
	}
	return b.String()
}

func (n *notifier) send(ctx context.Context, to, key string, m message.Message) error {
	body := map[string]any{"msg_type": m.Form}
	if m.Form == text {
		body["content"] = map[string]string{"text": m.Full()}
	} else {
		body["card"] = render(m)
	}
	if key != "" {
		body["timestamp"], body["sign"] = sign(key, n.e.Now())
	}
	a, err := wire.PostJSON(ctx, n.client, to, body)
	if err != nil {
		return err
	}
	return verdict(a)
}

// render makes a card: the title in its head, red while something is wrong, and a
// button that leads to the console.
func render(m message.Message) any {
	colour, open := "green", "Open"
	if m.Firing {
		colour = "red"
	}
	if m.Language == message.Chinese {
		open = "查看"
	}
	type object map[string]any
	content := m
	content.Title = "" // it is in the head
	return object{
		"config": object{"wide_screen_mode": true},
		"header": object{"title": object{"tag": "plain_text", "content": m.Title}, "template": colour},
		"elements": []object{
			{"tag": "markdown", "content": content.Full()},
			{"tag": "action", "actions": []object{{"tag": "button", "text": object{"tag": "plain_text", "content": open}, "type": "default", "url": m.Link}}},
		},
	}
}

// sign returns time and signature. The text that is signed is the key, and the message
// is empty: so it is documented.
func sign(key string, now time.Time) (seconds, signature string) {
	seconds = strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(seconds+"\n"+key))
	return seconds, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// verdict reads the answer: its status is 200 for most of what may happen. Old bots
// answer StatusCode in the place of code.
func verdict(a wire.Answer) error {
	var said struct {
		Code       *int   `json:"code"`
		Message    string `json:"msg"`
		OldCode    *int   `json:"StatusCode"`
		OldMessage string `json:"StatusMessage"`
	}
	if a.Status == http.StatusBadRequest { // with the code in its body
		a.Status = http.StatusOK
	}
	if err := a.Decode(&said); err != nil {
		return fmt.Errorf("the bot of Feishu %w", err)
	}
	if said.Code == nil {
		said.Code, said.Message = said.OldCode, said.OldMessage
	}
	if said.Code == nil {
		return wire.Later(0, "the bot of Feishu answered no code: %s", a.Quote())
	}
	switch *said.Code {
	case 0:
		return nil
	case tooOften:
		return wire.Later(tooOftenFor, "the bot of Feishu takes no more messages for now: code %d: %s", *said.Code, said.Message)
	}
	return wire.Refused("the bot of Feishu refused the message: code %d: %s", *said.Code, said.Message)
}
