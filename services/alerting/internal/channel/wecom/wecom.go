// Package wecom tells a WeCom group through its robot.
package wecom

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	// api is where robots are; the key follows.
	api = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="
	// textLimit and markdownLimit are in bytes of UTF-8.
	textLimit, markdownLimit = 2048, 4096
)

// The types of messages.
const (
	text       = "text"
	markdown   = "markdown"
	markdownV2 = "markdown_v2"
)

// limit is that of a robot; a second more than a minute, since messages take a time
// that differs.
func limit() pace.Limit { return pace.Limit{N: 20, Per: 61 * time.Second} }

// The codes of answers that another try may mend.
const (
	systemBusy  = -1
	tooOften    = 45009
	tooManyNow  = 45033
	tooOftenFor = time.Minute
)

// Config is an entry of wecom_bot_configs.
type Config struct {
	message.Settings `yaml:",inline"`
	// URL is the address of the robot; Key the last part of it.
	URL     secret.String `yaml:"url"`
	URLFile string        `yaml:"url_file"`
	Key     secret.String `yaml:"key"`
	KeyFile string        `yaml:"key_file"`
	// Type is text, markdown or markdown_v2.
	Type string `yaml:"message_type"`
	// Users and Mobiles are called by name when something is wrong; "@all" is everyone.
	Users   []string `yaml:"mention_users"`
	Mobiles []string `yaml:"mention_mobiles"`

	gates *pace.Gates
}

// New returns a configuration with what holds where nothing is set.
func New(gates *pace.Gates) func() channel.Config {
	return func() channel.Config {
		return &Config{Settings: message.Settings{Resolved: true}, Type: markdown, gates: gates}
	}
}

func (c *Config) source() credential.Source {
	if c.URL != "" || c.URLFile != "" {
		return credential.Source{Key: "url", Value: c.URL, File: c.URLFile}
	}
	return credential.Source{Key: "key", Value: c.Key, File: c.KeyFile}
}

// Validate says what is wrong.
func (c *Config) Validate() error {
	errs := []error{c.Settings.Validate()}
	if (c.URL != "" || c.URLFile != "") && (c.Key != "" || c.KeyFile != "") {
		errs = append(errs, errors.New("url and key exclude each other: the key is the last part of the URL"))
	}
	if err := c.source().Validate(); err != nil {
		errs = append(errs, fmt.Errorf("%w; the group's settings show it under its robots", err))
	}
	switch c.Type {
	case text:
	case markdown:
		if slices.Contains(c.Users, "@all") {
			errs = append(errs, errors.New(`mention_users: "@all" works with message_type: text only`))
		}
		if len(c.Mobiles) > 0 {
			errs = append(errs, errors.New("mention_mobiles works with message_type: text only; Markdown calls users by their ids"))
		}
	case markdownV2:
		if len(c.Users)+len(c.Mobiles) > 0 {
			errs = append(errs, errors.New("message_type: markdown_v2 calls nobody by name; take text or markdown"))
		}
	default:
		errs = append(errs, fmt.Errorf("message_type: %q is none of text, markdown, markdown_v2", c.Type))
	}
	return errors.Join(errs...)
}

// Open makes the channel.
func (c *Config) Open(e channel.Env) (notify.Notifier, error) {
	n := &notifier{c: c, e: e, client: wire.Client(e.HTTP)}
	if _, err := n.address(); err != nil {
		return nil, err
	}
	return n, message.Define(e.Templates)
}

type notifier struct {
	c      *Config
	e      channel.Env
	client *http.Client
}

// address is that of the robot, with its key.
func (n *notifier) address() (string, error) {
	s := n.c.source()
	v, err := s.Read()
	if err != nil {
		return "", err
	}
	if s.Key == "key" {
		return api + url.QueryEscape(v), nil
	}
	return v, channel.CheckURL("url", v)
}

// Notify sends, and returns whether to try again.
func (n *notifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	group, err := notify.ExtractGroupKey(ctx)
	if err != nil {
		return false, err
	}
	to, err := n.address()
	if err != nil {
		return false, err
	}
	m, err := n.render(message.New(ctx, n.e.Templates, n.c.Language, n.e.Logger, alerts))
	if err != nil {
		return false, err
	}
	send := func(ctx context.Context, m message.Message) error { return n.send(ctx, to, m) }
	return wire.Verdict(n.c.gates.Of(to, limit()).Do(ctx, pace.Place{Owner: n, Group: group.String()}, m, send))
}

func (n *notifier) render(r message.Renderer) (message.Message, error) {
	m := message.Message{Form: n.c.Type, Limit: textLimit, Size: message.Bytes}
	template := "weirflow.text"
	if n.c.Type != text {
		m.Limit, m.Mark = markdownLimit, "**"
		template = "weirflow.markdown"
	}
	if n.c.Type == markdown {
		m.Call = calls
	}
	return m, n.c.Fill(r, &m, template, n.c.Users, n.c.Mobiles)
}

// calls is how Markdown calls users.
func calls(m message.Message) string {
	var b strings.Builder
	for _, u := range m.Users {
		b.WriteString(" <@" + strings.TrimPrefix(u, "@") + ">")
	}
	return b.String()
}

// content is what all types have.
type content struct {
	Content string   `json:"content"`
	Users   []string `json:"mentioned_list,omitempty"`
	Mobiles []string `json:"mentioned_mobile_list,omitempty"`
}

func (n *notifier) send(ctx context.Context, to string, m message.Message) error {
	c := content{Content: m.Full()}
	if m.Form == text {
		c.Users, c.Mobiles = m.Users, m.Mobiles
	}
	a, err := wire.PostJSON(ctx, n.client, to, map[string]any{"msgtype": m.Form, m.Form: c})
	if err != nil {
		return err
	}
	return verdict(a)
}

// verdict reads the answer: its status is 200 whatever happened.
func verdict(a wire.Answer) error {
	var said struct {
		Code    *int   `json:"errcode"`
		Message string `json:"errmsg"`
	}
	if err := a.Decode(&said); err != nil {
		return fmt.Errorf("the robot of WeCom %w", err)
	}
	if said.Code == nil {
		return wire.Later(0, "the robot of WeCom answered no errcode: %s", a.Quote())
	}
	switch *said.Code {
	case 0:
		return nil
	case tooOften:
		return wire.Later(tooOftenFor, "the robot of WeCom takes no more messages for now: errcode %d: %s", *said.Code, said.Message)
	case systemBusy, tooManyNow:
		return wire.Later(0, "the robot of WeCom is busy: errcode %d: %s", *said.Code, said.Message)
	}
	return wire.Refused("the robot of WeCom refused the message: errcode %d: %s", *said.Code, said.Message)
}
