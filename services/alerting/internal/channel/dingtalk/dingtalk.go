// Package dingtalk tells a DingTalk group through its robot.
package dingtalk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	// api is where robots are.
	api = "https://oapi.dingtalk.com/robot/send?access_token="
	// maxRequest is what a request may have in bytes; around is what is not text.
	maxRequest, around = 20000, 2000
	// everyone is called with this name.
	everyone = "all"
)

// The types of messages.
const (
	text       = "text"
	markdown   = "markdown"
	actionCard = "actionCard"
)

// The codes of answers that another try may mend.
const (
	systemBusy = -1
	tooFast    = 130101
	throttled  = 410100
	// tooFastFor is for how long a robot takes nothing that was too fast.
	tooFastFor = 10 * time.Minute
)

// limit is that of a robot; a second more than a minute, since messages take a time
// that differs.
func limit() pace.Limit { return pace.Limit{N: 20, Per: 61 * time.Second} }

// Config is an entry of dingtalk_configs.
type Config struct {
	message.Settings `yaml:",inline"`
	// URL is the address of the robot; Token the last part of it.
	URL       secret.String `yaml:"url"`
	URLFile   string        `yaml:"url_file"`
	Token     secret.String `yaml:"access_token"`
	TokenFile string        `yaml:"access_token_file"`
	// Secret signs, where the robot wants signatures.
	Secret     secret.String `yaml:"secret"`
	SecretFile string        `yaml:"secret_file"`
	// Type is text, markdown or actionCard.
	Type string `yaml:"message_type"`
	// Users and Mobiles are called by name when something is wrong; "all" is everyone.
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
	return credential.Source{Key: "access_token", Value: c.Token, File: c.TokenFile}
}

func (c *Config) secret() credential.Source {
	return credential.Source{Key: "secret", Value: c.Secret, File: c.SecretFile}
}

// Validate says what is wrong.
func (c *Config) Validate() error {
	errs := []error{c.Settings.Validate(), c.source().Validate()}
	if (c.URL != "" || c.URLFile != "") && (c.Token != "" || c.TokenFile != "") {
		errs = append(errs, errors.New("url and access_token exclude each other: the token is the last part of the URL"))
	}
	if c.secret().Given() {
		errs = append(errs, c.secret().Validate())
	}
	switch c.Type {
	case text, markdown:
	case actionCard:
		if len(c.Users)+len(c.Mobiles) > 0 {
			errs = append(errs, errors.New("message_type: actionCard calls nobody by name; take text or markdown"))
		}
	default:
		errs = append(errs, fmt.Errorf("message_type: %q is none of text, markdown, actionCard", c.Type))
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

// address is that of the robot, and the secret that signs.
func (n *notifier) address() (to, key string, err error) {
	s := n.c.source()
	if to, err = s.Read(); err != nil {
		return "", "", err
	}
	if s.Key == "access_token" {
		to = api + url.QueryEscape(to)
	} else if err := channel.CheckURL("url", to); err != nil {
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
	m := message.Message{Form: n.c.Type, Limit: maxRequest - around, Size: message.JSONBytes, Call: calls}
	template := "weirflow.text"
	if n.c.Type != text {
		m.Mark, m.Break, template = "**", "\n\n", "weirflow.markdown"
	}
	r := message.New(ctx, n.e.Templates, n.c.Language, n.e.Logger, alerts)
	if err := n.c.Fill(r, &m, template, n.c.Users, n.c.Mobiles); err != nil {
		return false, err
	}
	send := func(ctx context.Context, m message.Message) error { return n.send(ctx, to, key, m) }
	return wire.Verdict(n.c.gates.Of(to, limit()).Do(ctx, pace.Place{Owner: n, Group: group.String()}, m, send))
}

// calls puts the names into the text, without which they are not shown in it.
func calls(m message.Message) string {
	var b strings.Builder
	for _, name := range slices.Concat(m.Users, m.Mobiles) {
		if name != everyone {
			b.WriteString(" @" + name)
		}
	}
	return b.String()
}

// at says who is called.
type at struct {
	Mobiles  []string `json:"atMobiles,omitempty"`
	Users    []string `json:"atUserIds,omitempty"`
	Everyone bool     `json:"isAtAll"`
}

func (n *notifier) send(ctx context.Context, to, key string, m message.Message) error {
	someone := func(name string) bool { return name == everyone }
	body := map[string]any{"msgtype": m.Form}
	switch m.Form {
	case text:
		body["text"] = map[string]string{"content": m.Full()}
	case markdown:
		body["markdown"] = map[string]string{"title": m.Title, "text": m.Full()}
	case actionCard:
		title := "Open"
		if m.Language == message.Chinese {
			title = "查看"
		}
		body["actionCard"] = map[string]string{"title": m.Title, "text": m.Full(), "singleTitle": title, "singleURL": m.Link}
	}
	if m.Form != actionCard {
		body["at"] = at{Mobiles: slices.DeleteFunc(slices.Clone(m.Mobiles), someone), Users: slices.DeleteFunc(slices.Clone(m.Users), someone),
			Everyone: slices.ContainsFunc(m.Users, someone) || slices.ContainsFunc(m.Mobiles, someone)}
	}
	if key != "" {
		signed, err := sign(to, key, n.e.Now())
		if err != nil {
			return wire.Refused("sign the request: %w", err)
		}
		to = signed
	}
	a, err := wire.PostJSON(ctx, n.client, to, body)
	if err != nil {
		return err
	}
	return verdict(a)
}

// sign adds time and signature to an address.
func sign(to, key string, now time.Time) (string, error) {
	u, err := url.Parse(to)
	if err != nil {
		return "", errors.New("the address is none")
	}
	ms := strconv.FormatInt(now.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(ms + "\n" + key))
	q := u.Query()
	q.Set("timestamp", ms)
	q.Set("sign", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// verdict reads the answer: its status is 200 whatever happened.
func verdict(a wire.Answer) error {
	var said struct {
		Code    *int   `json:"errcode"`
		Message string `json:"errmsg"`
	}
	if err := a.Decode(&said); err != nil {
		return fmt.Errorf("the robot of DingTalk %w", err)
	}
	if said.Code == nil {
		return wire.Later(0, "the robot of DingTalk answered no errcode: %s", a.Quote())
	}
	switch *said.Code {
	case 0:
		return nil
	case tooFast:
		return wire.Later(tooFastFor, "the robot of DingTalk takes no more messages for ten minutes: errcode %d: %s", *said.Code, said.Message)
	case throttled:
		return wire.Later(time.Minute, "the robot of DingTalk takes no more messages for now: errcode %d: %s", *said.Code, said.Message)
	case systemBusy:
		return wire.Later(0, "the robot of DingTalk is busy: errcode %d: %s", *said.Code, said.Message)
	}
	return wire.Refused("the robot of DingTalk refused the message: errcode %d: %s", *said.Code, said.Message)
}
